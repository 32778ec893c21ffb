package kernel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Never early, in due order, those of one time in the order of setting (K107).
func TestG10_DueOrder_K107(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				base := c.Now().Add(2 * time.Millisecond)
				for i, ms := range []int{3, 1, 2, 1, 3, 0} {
					c.AlarmAdd("x", base.Add(time.Duration(ms)*time.Millisecond), fmt.Sprint(ms, "-", i), base.Add(time.Duration(ms)*time.Millisecond))
				}
				return nil
			},
			"x": func(c *kernel.Context) error {
				if due := c.Arg(1).(time.Time); c.Now().Before(due) {
					t.Errorf("%v early", due.Sub(c.Now()))
				}
				expect(t, "sender", c.Sender(), c.Self())
				k.note("%v", c.Arg(0))
				return nil
			},
		})
		k.run()
		k.wantNotes("0-5", "1-1", "1-3", "2-2", "3-0", "3-4")
	})
}

// K96–K99: which setters replace, which add, and what clearing counts.
func TestG10_ReplaceAddClear_K96_K97_K98_K99(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.Yield("x", "posted")) // clearing is of timers only (K98)
				c.DelayAdd("x", time.Hour, "gone")
				id := c.DelaySet("x", time.Hour, "gone")
				c.AlarmAdd("y", c.Now().Add(time.Millisecond), "y")
				c.Delay("x", 2*time.Millisecond, "gone, too")
				c.Alarm("x", c.Now().Add(3*time.Millisecond), "alarm")
				if _, err := c.AlarmRemove(id); !errors.Is(err, kernel.ErrNoTimer) {
					t.Errorf("a replaced timer: %v", err)
				}
				c.DelayAdd("x", 4*time.Millisecond, "added")
				c.DelayAdd("z", time.Hour)
				c.AlarmAdd("z", c.Now().Add(time.Hour))
				expect(t, "cleared", c.AlarmClear("z"), 2)
				expect(t, "cleared again", c.AlarmClear("z"), 0)
				return nil
			},
			"x": func(c *kernel.Context) error { k.note("x %v", c.Arg(0)); return nil },
			"y": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantNotes("x posted", "y", "x alarm", "x added")
	})
}

// K102–K105: what removal and adjustment return.
func TestG10_RemoveAndAdjust_K102_K103_K104_K105(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var foreign kernel.TimerID
		k.spawn(table{"_start": func(c *kernel.Context) error { foreign = c.DelaySet("x", time.Millisecond); return nil }, "x": nop.none})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				now := c.Now()
				a := c.AlarmSet("a", now.Add(time.Hour), 1, 2, 3)
				due, err := c.AlarmAdjust(a, -30*time.Minute)
				if err != nil || !due.Equal(now.Add(30*time.Minute)) {
					t.Errorf("AlarmAdjust: %v, %v", due.Sub(now), err)
				}
				was, err := c.AlarmRemove(a)
				if err != nil || was.Event != "a" || !was.Due.Equal(due) || !slices.Equal(was.Args, []any{1, 2, 3}) {
					t.Errorf("AlarmRemove: %+v, %v", was, err)
				}
				for _, id := range []kernel.TimerID{a, foreign, 0, 1 << 31, 1<<32 + 500} {
					if _, err := c.AlarmRemove(id); !errors.Is(err, kernel.ErrNoTimer) {
						t.Errorf("AlarmRemove(%d): %v", id, err)
					}
					if _, err := c.AlarmAdjust(id, 1); !errors.Is(err, kernel.ErrNoTimer) {
						t.Errorf("AlarmAdjust(%d): %v", id, err)
					}
					if _, err := c.DelayAdjust(id, 1); !errors.Is(err, kernel.ErrNoTimer) {
						t.Errorf("DelayAdjust(%d): %v", id, err)
					}
				}
				b := c.DelaySet("b", time.Hour)
				if due, err = c.DelayAdjust(b, time.Millisecond); err != nil || due.Before(now.Add(time.Millisecond)) {
					t.Errorf("DelayAdjust: %v, %v", due.Sub(now), err)
				}
				c.DelayAdd("late", 3*time.Hour, "l")
				c.AlarmAdd("early", now.Add(time.Hour), "e")
				all := c.AlarmRemoveAll()
				var names []string
				for _, tm := range all {
					names = append(names, tm.Event)
				}
				if !slices.Equal(names, []string{"b", "early", "late"}) || all[1].Args[0] != "e" {
					t.Errorf("AlarmRemoveAll: %+v", all)
				}
				expect(t, "none left", len(c.AlarmRemoveAll()), 0)
				_, err = c.DelayAdjust(c.DelaySet("now", time.Hour), 0)
				return err
			},
			"now": k.noting("now"),
		})
		k.run()
		k.wantNotes("now")
	})
}

// A timer that fired but was not dispatched can be removed, and then does not
// come; it can be moved, and then comes later, once.
func TestG10_T12_RemovedAfterFiring(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		spin := func(c *kernel.Context, d time.Duration) { // lets real time pass inside a handler
			for end := time.Now().Add(d); time.Now().Before(end); {
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				a := c.DelaySet("removed", 50*time.Microsecond)
				b := c.DelaySet("moved", 50*time.Microsecond)
				c.DelayAdd("cleared", 50*time.Microsecond)
				if m != kernel.Simulated {
					spin(c, 3*time.Millisecond)
				}
				_, err := c.AlarmRemove(a)
				must(err)
				due, err := c.DelayAdjust(b, 50*time.Millisecond)
				must(err)
				expect(t, "cleared", c.AlarmClear("cleared"), 1)
				return c.Yield("wait", due)
			},
			"wait": func(c *kernel.Context) error {
				k.note("wait")
				return nil
			},
			"removed": k.noting("removed"),
			"cleared": k.noting("cleared"),
			"moved":   k.noting("moved"),
		})
		k.run()
		k.wantNotes("wait", "moved")
	})
}

// In the serial modes timers and posts share one order. Past alarms overtake queued
// posts, the oldest first (K13); a delay of zero stands in line (K53).
func TestG10_T7_TimersAndPostsShareOneOrder_K13_K53(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				must(c.Yield("x", "post 1"))
				c.DelayAdd("x", 0, "delay 0")
				must(c.Yield("x", "post 2"))
				c.DelayAdd("x", -time.Hour, "negative delay")
				must(c.Yield("x", "post 3"))
				c.AlarmAdd("x", c.Now().Add(-time.Second), "past alarm")
				c.AlarmAdd("x", c.Now().Add(-time.Minute), "older alarm")
				return nil
			},
			"x": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantNotes("older alarm", "past alarm", "post 1", "delay 0", "post 2", "negative delay", "post 3")
	})
}

// K12: a session that yields for ever starves neither timers nor others. Virtual
// time stands while it does.
func TestG10_T9_EndlessYieldDoesNotStarveTimers_K12(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, workers(1))
		stop, spins := false, 0
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Delay("enough", time.Millisecond); return c.Yield("spin") },
			"spin": func(c *kernel.Context) error {
				if spins++; stop || m == kernel.Simulated && spins == 1000 {
					return nil
				}
				return c.Yield("spin")
			},
			"enough": func(*kernel.Context) error {
				stop = true
				k.note("enough after all spins: %v", spins == 1000)
				return nil
			},
		})
		k.run()
		if m == kernel.Simulated {
			k.wantNotes("enough after all spins: true")
		}
	})
}

// One worker, and two sessions that keep each other busy: what comes from
// elsewhere (timers of others, goroutines, signals) has its turn.
func TestG10_BusyPairDoesNotStarveTheRest(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m, workers(1))
			pong := func(c *kernel.Context) error { return c.Post(c.Sender(), "pong") }
			a := k.service(table{"pong": pong})
			k.spawn(table{"_start": func(c *kernel.Context) error { return c.Post(a, "pong") }, "pong": pong})
			for range 3 {
				k.spawn(table{"_start": func(c *kernel.Context) error { return c.Yield("x") }, "x": func(c *kernel.Context) error { return c.Yield("x") }})
			}
			both := func(c *kernel.Context, what string) error {
				if k.note("%s", what); len(k.journal()) == 2 {
					return c.Signal("", "TERM")
				}
				return nil
			}
			l, err := k.SpawnHeld(table{
				"_start": func(c *kernel.Context) error { c.Sig("TERM", "term"); c.Delay("timer", time.Millisecond); return nil },
				"timer":  func(c *kernel.Context) error { return both(c, "timer") },
				"posted": func(c *kernel.Context) error { return both(c, "posted") },
				"term":   k.noting("TERM"),
			})
			must(err)
			go func() { must(l.Post("posted")) }()
			if err := k.Run(t.Context()); err != nil {
				t.Error(err)
			}
			k.wantSet("timer", "posted", "TERM")
		})
	}
}

// Ten thousand random timers in virtual time, some moved, some removed: what
// fires is exactly what was left, in due order, none early or late.
func TestG10_TenThousandTimersInVirtualTime(t *testing.T) {
	const n = 10_000
	type due struct {
		at  time.Time
		seq int
	}
	k := boot(t, kernel.Simulated, seed(1))
	rng := rand.New(rand.NewPCG(1, 2))
	var want, got []due
	hour := func() time.Duration { return time.Duration(rng.Int64N(int64(time.Hour))).Truncate(time.Second) } // many at one time
	k.spawn(table{
		"_start": func(c *kernel.Context) error {
			ids := make([]kernel.TimerID, n)
			at := make([]due, n)
			for i := range n {
				at[i] = due{c.Now().Add(hour()), i}
				ids[i] = c.AlarmSet("x", at[i].at, i)
			}
			seq := n
			for range n / 2 {
				i := rng.IntN(n)
				switch {
				case at[i].at.IsZero():
				case rng.IntN(2) == 0:
					_, err := c.AlarmRemove(ids[i])
					must(err)
					at[i] = due{}
				default:
					to, err := c.DelayAdjust(ids[i], hour())
					must(err)
					at[i] = due{to, seq} // behind those of the same time
					seq++
				}
			}
			for _, d := range at {
				if !d.at.IsZero() {
					want = append(want, d)
				}
			}
			slices.SortFunc(want, func(a, b due) int {
				if c := a.at.Compare(b.at); c != 0 {
					return c
				}
				return a.seq - b.seq
			})
			return nil
		},
		"x": func(c *kernel.Context) error { got = append(got, due{c.Now(), 0}); return nil },
	})
	begun := time.Now()
	k.run()
	expect(t, "fired", len(got), len(want))
	for i := range min(len(got), len(want)) {
		if !got[i].at.Equal(want[i].at) {
			t.Fatalf("timer %d fired at %v, due at %v", i, got[i].at, want[i].at)
		}
	}
	if real := time.Since(begun); real > limit {
		t.Errorf("an hour of virtual time took %v", real)
	}
}

// Simulated time stands while anything can run, and jumps when nothing can.
func TestG10_VirtualTimeJumps(t *testing.T) {
	k := boot(t, kernel.Simulated)
	start := k.Now()
	k.spawn(table{
		"_start": func(c *kernel.Context) error { c.Delay("x", 240*time.Hour); return c.Yield("y", 1000) },
		"y": func(c *kernel.Context) error {
			expect(t, "time passed", c.Now().Sub(start), 0)
			if n := c.Arg(0).(int); n > 0 {
				return c.Yield("y", n-1)
			}
			return nil
		},
		"x": func(c *kernel.Context) error { k.note("%v", c.Now().Sub(start)); return nil },
	})
	k.run()
	k.wantNotes("240h0m0s")
}
