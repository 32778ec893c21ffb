package kernel_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// noTimers checks that no method finds a timer.
func noTimers(t *testing.T, c *kernel.Context, ids ...kernel.TimerID) {
	t.Helper()
	for _, id := range ids {
		_, removed := c.AlarmRemove(id)
		_, moved := c.AlarmAdjust(id, time.Hour)
		_, delayed := c.DelayAdjust(id, time.Hour)
		for _, err := range []error{removed, moved, delayed} {
			if !errors.Is(err, kernel.ErrNoTimer) {
				t.Errorf("timer %d: %v, want ErrNoTimer", id, err)
			}
		}
	}
}

// Two sessions have timers of one name: setting, clearing, removing and moving
// are about one's own.
func TestK95_TimersAreTheSessionsOwn(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var others kernel.TimerID
		tick := func(c *kernel.Context) error { k.note("%v: %v", c.Self(), c.Arg(0)); return nil }
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.DelayAdd("tick", 3*time.Millisecond, "second")
				others = c.DelaySet("tick", 2*time.Millisecond, "first")
				return nil
			},
			"tick": tick,
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.DelayAdd("tick", time.Hour)
				c.Delay("tick", time.Hour)
				noTimers(t, c, others)
				expect(t, "cleared", c.AlarmClear("tick"), 1)
				c.DelayAdd("tick", time.Hour)
				expect(t, "removed", len(c.AlarmRemoveAll()), 1)
				c.Delay("tick", time.Millisecond, "mine")
				return nil
			},
			"tick": tick,
		})
		k.run()
		k.wantSet("#1: first", "#1: second", "#2: mine")
	})
}

// IDs are not zero and not used again: not after firing, removal or clearing, and
// not by another session.
func TestK100_IDsAreUnique(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		seen := map[kernel.TimerID]bool{0: true}
		note := func(id kernel.TimerID) kernel.TimerID {
			k.mu.Lock()
			defer k.mu.Unlock()
			if seen[id] {
				t.Errorf("ID %d again", id)
			}
			seen[id] = true
			return id
		}
		for range 3 {
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("x", 40) },
				"x": func(c *kernel.Context) error {
					for range 5 {
						_, err := c.AlarmRemove(note(c.DelaySet("removed", time.Hour)))
						must(err)
						note(c.AlarmSet("cleared", c.Now().Add(time.Hour)))
					}
					expect(t, "cleared", c.AlarmClear("cleared"), 5)
					if n := c.Arg(0).(int); n > 0 {
						note(c.DelaySet("x", 0, n-1))
					}
					return nil
				},
			})
		}
		k.run()
		expect(t, "IDs", len(seen), 1+3*(41*10+40))
	})
}

// A post has no ID: whatever number AlarmRemove is given, queued posts stay. A
// timer's ID ends when it is dispatched.
func TestK101_OnlyTimersAreRemoved(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var id kernel.TimerID
		k.spawn(table{
			"_start": func(c *kernel.Context) error { id = c.DelaySet("fired", 0); return nil },
			"fired": func(c *kernel.Context) error {
				noTimers(t, c, id)
				must(c.Yield("post", 1))
				must(c.Yield("post", 2))
				for n := range kernel.TimerID(50) {
					noTimers(t, c, n, n<<32, n<<32|1, n<<32|2)
				}
				return nil
			},
			"post": func(c *kernel.Context) error { k.note("post %v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantNotes("post 1", "post 2")
	})
}

// AlarmAdjust moves from the due time, DelayAdjust from now, whichever way the
// timer was set; both return the new time, which may have passed.
func TestK103_K104_Adjust(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				base := c.Now()
				delay, alarm := c.DelaySet("delay", time.Hour), c.AlarmSet("alarm", base.Add(time.Hour))
				moved := func(id kernel.TimerID, by time.Duration) time.Duration {
					due, err := c.AlarmAdjust(id, by)
					must(err)
					return due.Sub(base)
				}
				expect(t, "alarm", moved(alarm, -90*time.Minute), -30*time.Minute)
				expect(t, "alarm, not moved", moved(alarm, 0), -30*time.Minute)
				expect(t, "alarm, to the future again", moved(alarm, time.Hour), 30*time.Minute)
				was := moved(delay, 0)
				expect(t, "delay", moved(delay, -2*time.Hour)-was, -2*time.Hour)
				for _, id := range []kernel.TimerID{delay, alarm} {
					for _, d := range []time.Duration{time.Minute, 0, -time.Minute} {
						before := c.Now()
						due, err := c.DelayAdjust(id, d)
						must(err)
						if d = max(d, 0); due.Before(before.Add(d)) || due.After(c.Now().Add(d)) {
							t.Errorf("DelayAdjust to %v: %v from now", d, due.Sub(before))
						}
					}
				}
				return nil
			},
			"delay": k.noting("delay"),
			"alarm": k.noting("alarm"),
		})
		k.run() // both are due now
		k.wantNotes("delay", "alarm")
	})
}

// AlarmRemove and AlarmRemoveAll give the same of a timer, however it was set: its
// name, its arguments and when it was due.
func TestK102_K105_K106_WhatRemovingReturns(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Delay("x", time.Millisecond); return nil },
			"x":      k.noting("another's timer"),
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.Yield("x", "a post"))
				must(c.Post(other, "x"))
				expect(t, "none", len(c.AlarmRemoveAll()), 0)
				base := c.Now()
				set := func(name string, at time.Duration, delay bool, args ...any) kernel.TimerID {
					if delay {
						return c.DelaySet(name, at, args...)
					}
					return c.AlarmSet(name, base.Add(at), args...)
				}
				check := func(was kernel.Timer, name string, at time.Duration, args ...any) {
					t.Helper()
					late := was.Due.Sub(base.Add(at)) // a delay counts from its own now
					if was.Event != name || !slices.Equal(was.Args, args) || late < 0 || late > time.Minute {
						t.Errorf("want %s at %v with %v, got %+v", name, at, args, was)
					}
				}
				for _, delay := range []bool{true, false} {
					was, err := c.AlarmRemove(set("one", time.Hour, delay, "a", 2, nil))
					must(err)
					check(was, "one", time.Hour, "a", 2, nil)
					set("late", 3*time.Hour, delay)
					set("early", time.Hour, delay, 1)
					set("middle", 2*time.Hour, !delay, 1, 2)
					all := c.AlarmRemoveAll()
					expect(t, "all", len(all), 3)
					check(all[0], "early", time.Hour, 1)
					check(all[1], "middle", 2*time.Hour, 1, 2)
					check(all[2], "late", 3*time.Hour)
				}
				return nil
			},
			"x": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantSet("another's timer", "another's timer", "a post")
	})
}

// Alarms of several sessions at a few points in time come in one order: that of
// the times, and of setting among equals. A moved one is set anew.
func TestK107_OneOrderForAllSessions(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			base := k.Now().Add(2 * time.Millisecond)
			at := func(n int) time.Time { return base.Add(time.Duration(n) * time.Microsecond) }
			var sessions []kernel.Address
			for range 3 {
				sessions = append(sessions, k.spawn(table{
					"set": func(c *kernel.Context) error { c.AlarmAdd("x", at(c.Arg(0).(int)), c.Arg(1)); return nil },
					"move": func(c *kernel.Context) error {
						_, err := c.AlarmAdjust(c.AlarmSet("x", at(0), c.Arg(1)), time.Duration(c.Arg(0).(int))*time.Microsecond)
						return err
					},
					"x": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
				}))
			}
			var want []string
			for n := range 60 {
				how := "set"
				if n%4 == 3 {
					how = "move"
				}
				_, err := k.Call(t.Context(), sessions[n*7%3], how, n%5, fmt.Sprintf("%d.%02d", n%5, n))
				must(err)
				want = append(want, fmt.Sprintf("%d.%02d", n%5, n))
			}
			slices.Sort(want)
			k.run()
			k.wantNotes(want...)
		})
	}
}

// A pending timer keeps its session, whatever it is for, until it is dispatched,
// removed or cleared; nothing remains of it then.
func TestK110_APendingTimerHolds(t *testing.T) {
	ends := map[string]func(c *kernel.Context, id kernel.TimerID){
		"dispatched": func(c *kernel.Context, id kernel.TimerID) { _, err := c.DelayAdjust(id, 0); must(err) },
		"removed":    func(c *kernel.Context, id kernel.TimerID) { _, err := c.AlarmRemove(id); must(err) },
		"cleared":    func(c *kernel.Context, _ kernel.TimerID) { c.AlarmClear("timer") },
		"replaced":   func(c *kernel.Context, _ kernel.TimerID) { c.Delay("timer", 0) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				release := k.Hold("no IDLE") // what ends here ends because nothing holds it
				var id kernel.TimerID
				a := k.spawn(table{
					"_start": func(c *kernel.Context) error { id = c.DelaySet("timer", 24*time.Hour); return nil },
					"end":    func(c *kernel.Context) error { k.note("end"); end(c, id); return nil },
					"timer":  func(c *kernel.Context) error { k.note("timer"); noTimers(t, c, id); return nil },
					"_stop":  func(*kernel.Context) error { k.note("stop"); release(); return nil },
				})
				left := 100
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("wait") },
					"wait": func(c *kernel.Context) error {
						if left--; left > 0 {
							return c.Yield("wait")
						}
						return c.Post(a, "end")
					},
				})
				k.run()
				if name == "removed" || name == "cleared" {
					k.wantNotes("end", "stop")
				} else {
					k.wantNotes("end", "timer", "stop")
				}
			})
		})
	}
}

// What is very far away stays there: no sum of times wraps to the past, which
// would be at once, or back.
func TestG10_FarTimersDoNotWrap_K103(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		far := func(due time.Time, err error) {
			t.Helper()
			if err != nil || due.Sub(k.Now()) < 250*365*24*time.Hour {
				t.Errorf("due %v, %v", due, err)
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Delay("x", math.MaxInt64)
				c.DelayAdd("x", math.MaxInt64-1)
				c.AlarmAdd("x", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
				id := c.AlarmSet("x", c.Now().Add(time.Hour))
				far(c.AlarmAdjust(id, math.MaxInt64))
				far(c.AlarmAdjust(id, 1))
				far(c.DelayAdjust(id, math.MaxInt64))
				past := c.AlarmSet("past", c.Now().Add(-time.Hour))
				due, err := c.AlarmAdjust(past, math.MinInt64)
				if err != nil || due.After(c.Now().Add(-250*365*24*time.Hour)) {
					t.Errorf("past: due %v, %v", due, err)
				}
				c.AlarmAdd("past", time.Time{})
				c.Delay("end", time.Millisecond)
				return nil
			},
			"x":    k.noting("must not come"),
			"past": k.noting("past"),
			"end":  func(c *kernel.Context) error { k.note("%d left", len(c.AlarmRemoveAll())); return nil },
		})
		k.run()
		k.wantNotes("past", "past", "4 left")
	})
}

// Simulated: what a timer's handler posts may come before what was queued
// already, or after it, as G2 permits.
func TestG2_TimersLeaveTheChoiceOpen(t *testing.T) {
	seen := map[string]int{}
	for n := range uint64(40) {
		k := boot(t, kernel.Simulated, seed(n))
		b, d := k.service(table{"b": k.noting("b")}), k.service(table{"d": k.noting("d")})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Delay("timer", 0); return c.Post(b, "b") },
			"timer":  func(c *kernel.Context) error { k.note("timer"); return c.Post(d, "d") },
		})
		k.run()
		seen[fmt.Sprint(k.journal())]++
	}
	if len(seen) != 2 || seen["[timer b d]"] == 0 || seen["[timer d b]"] == 0 {
		t.Errorf("orders: %v", seen)
	}
}
