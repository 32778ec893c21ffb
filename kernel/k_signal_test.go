package kernel_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// watcher is a service that calls f when it gets a signal, and notes its end.
func watcher(k *fixture, name, sig string, f kernel.Handler) table {
	return table{
		"_start": func(c *kernel.Context) error { c.Sig(sig, "sig"); return c.AliasSet(name) },
		"sig":    f,
		"alive":  k.noting(name + " is alive"),
		"_stop":  k.noting(name + " stops"),
	}
}

// A signal is queued: whoever sends one goes on first. To nobody it is an error
// that hands back what was sent.
func TestK123_SignalIsQueued(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		r := watcher(k, "a", "NEWS", func(c *kernel.Context) error {
			k.note("%v", c.Args())
			if len(c.Args()) > 2 {
				return nil
			}
			args := []any{"data", 1}
			must(c.Signal(c.Self(), "NEWS", args...))
			args[0] = "changed afterwards"
			k.note("sent")
			var e *kernel.PostError
			err := c.Signal("nobody", "NEWS", 1, 2)
			if !errors.As(err, &e) || !errors.Is(err, kernel.ErrNoSession) || e.Event != "NEWS" || !slices.Equal(e.Args, []any{1, 2}) {
				t.Errorf("Signal to nobody: %v", err)
			}
			return nil
		})
		a := k.spawn(r)
		must(k.Signal("a", "NEWS", "outside"))
		k.wantNotes()
		k.run()
		k.wantNotes("[NEWS outside]", "sent", "[NEWS data 1]", "a stops")
		if err := k.Signal(a, "NEWS"); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("Signal to a session that has ended: %v", err)
		}
	})
}

// The watchers of one signal are called one after the other; in the serial modes
// nothing else runs in between.
func TestK125_OneAfterTheOther(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for s := range uint64(10) {
			k := boot(t, m, seed(s))
			var inside atomic.Int32
			for i := range 8 {
				news := func(c *kernel.Context) error {
					if inside.Add(1) > 1 {
						t.Error("two watchers at once")
					}
					expect(t, "sender", c.Sender(), "")
					k.note("news")
					inside.Add(-1)
					return nil
				}
				if i%3 == 2 { // those that do not watch are not called
					k.service(table{"sig": k.noting("not watching")})
				} else {
					k.service(watcher(k, fmt.Sprint("w", i), "NEWS", news))
				}
			}
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go", 6) },
				"go": func(c *kernel.Context) error {
					k.note("other")
					n := c.Arg(0).(int)
					if n == 4 {
						must(c.Signal("", "NEWS"))
					}
					if n == 0 {
						return nil
					}
					return c.Yield("go", n-1)
				},
			})
			k.run()
			got := slices.DeleteFunc(k.journal(), func(n string) bool { return strings.HasSuffix(n, "stops") })
			news := slices.DeleteFunc(slices.Clone(got), func(n string) bool { return n != "news" })
			expect(t, "watchers called", len(news), 6)
			expect(t, "others", len(got), 6+7)
			if first := slices.Index(got, "news"); m != kernel.Parallel && !slices.Equal(got[first:first+6], news) {
				t.Errorf("seed %d: something ran in between: %v", s, got)
			}
		}
	})
}

// SigHandled counts from calls, and from what a call spawns; outside a signal it
// does nothing, neither then nor for the next signal.
func TestK127_T26_WhereSigHandledCounts(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		release := k.Hold("no IDLE")
		helper := k.service(table{"save": func(c *kernel.Context) error {
			_, err := c.Spawn(table{"_start": func(c *kernel.Context) error { c.SigHandled(); return nil }})
			return err
		}})
		a := watcher(k, "a", "TERM", func(c *kernel.Context) error {
			_, err := c.Call(helper, "save")
			return errors.Join(err, c.Post(c.Self(), "next"))
		})
		a["next"] = func(c *kernel.Context) error {
			k.note("TERM was handled")
			c.SigHandled()
			return c.Signal(c.Self(), "INT")
		}
		a["_stop"] = func(*kernel.Context) error { k.note("INT was not"); release(); return nil }
		must(k.Signal(k.spawn(a), "TERM"))
		k.run()
		k.wantNotes("TERM was handled", "INT was not")
	})
}

// Parallel: nor does it count in a later event of a session that was told, while
// the signal is still on its way to others.
func TestK127_NotInALaterEvent(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	saved := make(chan int)
	child := watcher(k, "child", "TERM", func(c *kernel.Context) error { return c.Yield("save") })
	child["save"] = func(c *kernel.Context) error { c.SigHandled(); close(saved); return nil }
	pa := watcher(k, "pa", "TERM", func(*kernel.Context) error { <-saved; return nil })
	start := pa["_start"]
	pa["_start"] = func(c *kernel.Context) error { _, err := c.Spawn(child); return errors.Join(err, start(c)) }
	k.spawn(pa)
	k.service(table{
		"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
		"idle":   k.noting("IDLE"),
	})
	must(k.Signal("pa", "TERM"))
	k.run()
	k.wantNotes("child stops", "pa stops", "IDLE")
}

// Terminal signals stop a session that does not watch them, nonmaskable ones also
// one that handles them; all other names stop nobody.
func TestK128_K129_Fates(t *testing.T) {
	fates := map[string]string{
		"HUP": "terminal", "INT": "terminal", "QUIT": "terminal", "TERM": "terminal", "KILL": "terminal",
		"IDLE": "terminal", "DIE": "terminal", "ZOMBIE": "nonmaskable", "UIDESTROY": "nonmaskable",
	}
	for _, benign := range []string{"USR1", "PIPE", "ALRM", "CHLD", "WINCH", "CONT", "TSTP", "ABRT", "term", "Int", "SIGTERM", "MINE", " TERM", "\x00"} {
		fates[benign] = "benign"
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for name, fate := range fates {
			k := boot(t, m)
			handled := k.spawn(watcher(k, "handled", name, func(c *kernel.Context) error { c.SigHandled(); return nil }))
			deaf := k.spawn(watcher(k, "deaf", "another", nil))
			gone := map[kernel.Address]bool{}
			k.service(table{ // it sees the walks' ends behind the signals
				"_start": func(c *kernel.Context) error { c.Delay("send", time.Millisecond); return nil },
				"send": func(c *kernel.Context) error {
					must(c.Monitor(handled, "gone"))
					must(c.Monitor(deaf, "gone"))
					must(c.Signal(handled, name))
					must(c.Signal(deaf, name))
					c.Delay("look", time.Millisecond)
					return nil
				},
				"gone": func(c *kernel.Context) error { gone[c.Arg(0).(kernel.Address)] = true; return nil },
				"look": func(c *kernel.Context) error {
					want := map[string]int{"benign": 0, "terminal": 1, "nonmaskable": 2}[fate]
					for _, a := range []kernel.Address{handled, deaf} {
						if _, there := k.Resolve(a); !there {
							gone[a] = true
						}
					}
					if len(gone) < want { // parallel: a stop may be under way
						c.Delay("look", time.Millisecond)
						return nil
					}
					expect(t, fmt.Sprintf("stopped by %q", name), len(gone), want)
					expect(t, "the deaf one", gone[deaf], want > 0)
					return nil
				},
			})
			k.run()
		}
	})
}

// A nonmaskable signal to a branch is told there, and ends that branch only.
func TestK129_NonmaskableInABranch(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, sig := range []string{"ZOMBIE", "UIDESTROY"} {
			k := boot(t, m)
			clan(k, sig, "a1")
			must(k.Signal("a", sig, "data"))
			k.service(table{
				"_start": func(c *kernel.Context) error { return c.Monitor("a", "over") },
				"over":   k.noting("over"),
			})
			k.run()
			got := k.journal()
			if len(got) != 3+4+1+2 { // the rest stops by IDLE
				t.Fatalf("journal %v", got)
			}
			slices.Sort(got[:2])
			slices.Sort(got[3:6])
			expect(t, "told, and stopped", strings.Join(got[:8], ", "),
				"a1, a2, a, a1 stops, a2 stops, deaf stops, a stops, over")
		}
	})
}

// What a signal's handler posts and sets is lost if the verdict stops its session,
// and reported. Parallel: what was handled before the verdict was.
func TestK130_WhatTheHandlerQueuesIsLost(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for s := range uint64(10) {
			k := boot(t, m, seed(s))
			other := k.service(table{"post": k.noting("post")})
			a := watcher(k, "a", "TERM", func(c *kernel.Context) error {
				must(c.Yield("yield"))
				must(c.Post(other, "post"))
				c.Delay("timer", 0)
				return nil
			})
			a["yield"], a["timer"] = k.noting("yield"), k.noting("timer")
			must(k.Signal(k.spawn(a), "TERM"))
			k.run()
			if m == kernel.Parallel {
				got := k.journal()
				for _, e := range []string{"yield: receiver stopped", "post: sender stopped"} {
					name, _, _ := strings.Cut(e, ":")
					if n := k.reasons[e]; n > 1 || (n == 1) == slices.Contains(got, name) {
						t.Errorf("%s: dropped %d times, journal %v", name, n, got)
					}
				}
				continue
			}
			k.wantNotes("a stops")
			k.wantDrops(map[string]int{"yield: receiver stopped": 1, "post: sender stopped": 1})
		}
	})
}

// A signal that is dispatched while the handler of another still runs (nested, or
// in parallel mode beside it) has arguments and a verdict of its own.
func TestK131_SignalWithinASignal(t *testing.T) {
	for inner, want := range map[bool][]string{
		true:  {"b: [INT inner]", "a: [TERM outer]", "a stops", "b is alive", "b stops"},
		false: {"b: [INT inner]", "b stops", "a: [TERM outer]", "a is alive", "a stops"},
	} {
		t.Run(fmt.Sprintf("inner handled: %v", inner), func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				release := k.Hold("no IDLE")
				over := make(chan struct{})
				survivor := func(tab table, name string) {
					tab["alive"] = func(*kernel.Context) error { k.note("%s is alive", name); release(); return nil }
				}
				a := watcher(k, "a", "TERM", func(c *kernel.Context) error {
					if !inner {
						c.SigHandled()
					}
					must(c.Signal("b", "INT", "inner"))
					for waiting := true; waiting; {
						select {
						case <-over:
							waiting = false
						default:
							if m != kernel.Parallel && !k.Step() {
								return errors.New("nothing left to step through")
							}
						}
					}
					k.note("a: %v", c.Args())
					return nil
				})
				b := watcher(k, "b", "INT", func(c *kernel.Context) error {
					k.note("b: %v", c.Args())
					if inner {
						c.SigHandled()
						close(over)
					}
					return nil
				})
				if inner {
					survivor(b, "b")
					a["_stop"] = func(*kernel.Context) error { k.note("a stops"); return k.Post("b", "alive") }
				} else {
					survivor(a, "a")
					b["_stop"] = func(*kernel.Context) error { k.note("b stops"); close(over); return k.Post("a", "alive") }
				}
				k.spawn(a)
				k.spawn(b)
				must(k.Signal("a", "TERM", "outer"))
				k.run()
				k.wantNotes(want...)
			})
		})
	}
}

// A terminal signal to the kernel ends Run, Holds or not, and the kernel can be
// run again.
func TestK126_K132_SignalToTheKernel(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, sig := range []string{"HUP", "INT", "QUIT", "TERM", "KILL"} {
			k := boot(t, m)
			release := k.Hold("voided")
			k.spawn(watcher(k, "a", sig, k.noting("a hears")))
			k.service(table{"_stop": k.noting("b stops")})
			must(k.Signal("", sig))
			k.run2()
			got := k.journal()
			expect(t, "first", got[0], "a hears")
			k.notes = got[1:]
			k.wantSet("a stops", "b stops")
			release()
			k.notes = nil
			k.spawn(watcher(k, "a", sig, func(c *kernel.Context) error { c.SigHandled(); return c.Yield("alive") }))
			must(k.Signal("", sig))
			k.run()
			k.wantNotes("a is alive", "a stops")
		}
	})
}

// A session's watches end with it: nothing is told to it, and nothing is left.
func TestK133_WatchesEndWithTheSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := watcher(k, "a", "NEWS", k.noting("a hears"))
		a["end"] = func(c *kernel.Context) error {
			must(c.Signal("", "NEWS")) // it comes behind the end
			c.Stop()
			return nil
		}
		k.spawn(a)
		k.service(watcher(k, "b", "NEWS", k.noting("b hears")))
		must(k.Post("a", "end"))
		k.run() // which checks that no watch is left
		got := k.journal()
		if stops, hears := slices.Index(got, "a stops"), slices.Index(got, "a hears"); hears > stops || !slices.Contains(got, "b hears") {
			t.Errorf("journal %v", got)
		}
		if m != kernel.Parallel { // there the signal may overtake: the walk is not the session's
			k.wantNotes("a stops", "b hears", "b stops")
		}
	})
}
