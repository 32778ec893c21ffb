package kernel_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// kin is a session that notes what it hears of its family, by aliases.
func kin(k *fixture, name string, more table) table {
	names := func(a any) any {
		if a == kernel.Address("") {
			return "kernel"
		}
		for _, n := range []string{"grandpa", "pa", "kid", "late"} {
			if id, ok := k.Resolve(kernel.Address(n)); ok && id == a {
				return n
			}
		}
		return a
	}
	t := table{
		"_start": func(c *kernel.Context) error { c.Return("value of " + name); return nil },
		"_stop":  func(c *kernel.Context) error { k.note("%s stops", name); c.Return("end of " + name); return nil },
		"_child": func(c *kernel.Context) error {
			expect(k.t, "sender of _child", c.Sender(), "")
			k.note("%s: %v %v %v", name, c.Arg(0), names(c.Arg(1)), c.Arg(2))
			return nil
		},
		"_parent": func(c *kernel.Context) error {
			expect(k.t, "sender of _parent", c.Sender(), "")
			k.note("%s: from %v to %v", name, names(c.Arg(0)), names(c.Arg(1)))
			return nil
		},
		"spawn": func(c *kernel.Context) error {
			_, err := c.Spawn(c.Arg(0).(kernel.Receiver), kernel.Alias(c.Arg(1).(string)))
			return err
		},
	}
	for e, h := range more {
		t[e] = h
	}
	return t
}

// IDLE ends services from the leaves up; the parent hears "create" with
// _start's value and "lose" with _stop's (K84, K29), and no _parent (K86).
func TestG5_IDLEEndsServicesLeavesFirst_K84(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(kin(k, "grandpa", table{
			"_start": func(c *kernel.Context) error { return c.Yield("spawn", kin(k, "pa", nil), "pa") },
			"_child": func(c *kernel.Context) error {
				if c.Arg(0) == "create" {
					must(c.Post("pa", "spawn", kin(k, "kid", nil), "kid"))
				}
				k.note("grandpa: %v %v", c.Arg(0), c.Arg(2))
				return nil
			},
		}), kernel.Alias("grandpa"))
		k.run() // held by aliases only: IDLE ends them, deepest first
		k.wantNotes(
			"grandpa: create value of pa", "pa: create kid value of kid",
			"kid stops", "pa: lose kid end of kid", "pa stops", "grandpa: lose end of pa", "grandpa stops")
	})
}

// A session that stops with children: its parent gains them, they get a new
// parent, then _stop, then its parent loses it (K29).
func TestG5_ForcedStopGivesChildrenAway_K29(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		kid := kin(k, "kid", table{"_parent": func(c *kernel.Context) error {
			k.note("kid: to grandpa %v", c.Arg(1) == must1(k.Resolve("grandpa")))
			return nil
		}})
		k.spawn(kin(k, "grandpa", table{
			"_start": func(c *kernel.Context) error {
				return c.Yield("spawn", kin(k, "pa", table{
					"_start": func(c *kernel.Context) error { return c.Yield("spawn", kid, "kid") },
					"_child": func(c *kernel.Context) error { k.note("pa: %v", c.Arg(0)); return c.Yield("end") },
					"end":    func(c *kernel.Context) error { c.Stop(); return nil },
				}), "pa")
			},
		}), kernel.Alias("grandpa"))
		k.run()
		k.wantNotes(
			"grandpa: create pa <nil>", "pa: create",
			"grandpa: gain kid <nil>", "kid: to grandpa true", "pa stops", "grandpa: lose pa end of pa",
			"kid stops", "grandpa: lose kid end of kid", "grandpa stops")
	})
}

func must1[T any](v T, ok bool) T {
	if !ok {
		panic("not there")
	}
	return v
}

// While _stop and _child("lose") run, the dying session's names still resolve and
// it can be called (K30), and can call (K33); afterwards they name nobody (K117).
func TestG5_T20_NamesLastThroughTheStop_K30_K33(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				id, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error { return c.AliasSet("dying") },
					"_child": func(*kernel.Context) error { return nil },
					"alive?": func(c *kernel.Context) error { c.Return("yes"); return nil },
					"end":    func(c *kernel.Context) error { c.Stop(); return nil },
					"_stop": func(c *kernel.Context) error {
						for _, to := range []kernel.Address{"dying", c.Self(), "parent"} {
							v, err := c.Call(to, "alive?")
							k.note("in _stop: %v %v", v, err)
						}
						return nil
					},
				})
				must(err)
				must(c.Monitor(id, "after"))
				return c.Post("dying", "end")
			},
			"alive?": func(c *kernel.Context) error { c.Return("here"); return nil },
			"_child": func(c *kernel.Context) error {
				if c.Arg(0) != "lose" {
					return nil
				}
				for _, to := range []kernel.Address{"dying", c.Arg(1).(kernel.Address)} {
					v, err := c.Call(to, "alive?")
					k.note("in lose: %v %v", v, err)
				}
				return nil
			},
			"after": func(c *kernel.Context) error {
				for _, to := range []kernel.Address{"dying", c.Arg(0).(kernel.Address)} {
					_, err := c.Call(to, "alive?")
					k.note("after: %v", errors.Is(err, kernel.ErrNoSession))
				}
				return nil
			},
		}, kernel.Alias("parent"))
		k.run()
		k.wantNotes("in _stop: yes <nil>", "in _stop: yes <nil>", "in _stop: here <nil>",
			"in lose: yes <nil>", "in lose: yes <nil>", "after: true", "after: true")
	})
}

// K32: what _stop posts is accepted and reported; timers go in silence.
func TestG5_T22_WhatStopPosts_K32(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.service(table{"from _stop": k.noting("must not come")})
		k.spawn(table{
			"_stop": func(c *kernel.Context) error {
				must(c.Post(other, "from _stop", 1))
				must(c.Yield("self", 2))
				c.Delay("timer", time.Hour)
				c.Delay("from _stop", 0)
				_, err := c.Spawn(table{"_stop": k.noting("grandchild stops")})
				must(err)
				if err := c.Post("nobody", "x"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("post to nobody: %v", err)
				}
				return nil
			},
			"_child": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantNotes("create", "grandchild stops")
		k.wantDrops(map[string]int{"from _stop: sender stopped": 1, "self: sender stopped": 1})
	})
}

// K88–K90, K93: detaching, from both sides, with its errors.
func TestG5_Detach_K88_K89_K90_K93(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(kin(k, "pa", table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				kid, err := c.Spawn(kin(k, "kid", nil), kernel.Alias("kid"))
				must(err)
				must(c.DetachChild(kid))
				if err := c.DetachChild(kid); !errors.Is(err, kernel.ErrNotChild) {
					t.Errorf("twice: %v", err)
				}
				if err := c.DetachChild(c.Self()); !errors.Is(err, kernel.ErrNotChild) {
					t.Errorf("itself: %v", err)
				}
				if err := c.DetachChild("nobody"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("nobody: %v", err)
				}
				if err := c.DetachMyself(); !errors.Is(err, kernel.ErrNotChild) {
					t.Errorf("the kernel's: %v", err)
				}
				late, err := c.Spawn(kin(k, "late", table{
					"leave": func(c *kernel.Context) error { return c.DetachMyself() },
				}), kernel.Alias("late"))
				must(err)
				_, err = c.Call(late, "leave")
				return err
			},
		}), kernel.Alias("pa"))
		k.run()
		got := k.journal()
		k.notes = got[:6]
		k.wantNotes(
			"pa: create kid value of kid", "pa: lose kid <nil>", "kid: from pa to kernel",
			"pa: create late value of late", "pa: lose late <nil>", "late: from pa to kernel")
		k.notes = got[6:]
		k.wantSet("kid stops", "late stops", "pa stops")
	})
}

// K91: detached during _start, by itself or by its parent: the child gets _parent,
// its parent nothing, ever.
func TestG5_DetachDuringStart_K91(t *testing.T) {
	for name, detach := range map[string]kernel.Handler{
		"itself": func(c *kernel.Context) error { return c.DetachMyself() },
		"parent": func(c *kernel.Context) error { _, err := c.Call("pa", "drop", c.Self()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				k.spawn(kin(k, "pa", table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go":     func(c *kernel.Context) error { _, err := c.Spawn(kin(k, "kid", table{"_start": detach})); return err },
					"drop":   func(c *kernel.Context) error { return c.DetachChild(c.Arg(0).(kernel.Address)) },
				}), kernel.Alias("pa"))
				k.run()
				k.wantNotes("kid: from pa to kernel", "kid stops", "pa stops")
			})
		})
	}
}

// K39: stopped in its own _start: Spawn succeeds, the parent hears nothing.
func TestG5_StopInStart_K39(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(kin(k, "pa", table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				a, err := c.Spawn(kin(k, "kid", table{"_start": func(c *kernel.Context) error { c.Stop(); return c.Yield("x") }}))
				must(err)
				if err := c.Post(a, "x"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("post: %v", err)
				}
				return nil
			},
		}), kernel.Alias("pa"))
		k.run()
		k.wantNotes("kid stops", "pa stops")
		k.wantDrops(map[string]int{"x: receiver stopped": 1})
	})
}

// Context.Stop is honoured wherever the handler ran: posted, called, timer,
// signal, _child.
func TestG5_ContextStopFromAnyHandler(t *testing.T) {
	how := map[string]func(k *fixture, c *kernel.Context){
		"post":   func(k *fixture, c *kernel.Context) { must(c.Post("victim", "end")) },
		"call":   func(k *fixture, c *kernel.Context) { _, err := c.Call("victim", "end"); must(err) },
		"timer":  func(k *fixture, c *kernel.Context) { must(c.Post("victim", "arm")) },
		"signal": func(k *fixture, c *kernel.Context) { must(c.Signal("victim", "ENOUGH")) },
		"_child": func(k *fixture, c *kernel.Context) { must(c.Post("victim", "breed")) },
	}
	for name, do := range how {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				release := k.Hold("no IDLE")
				end := func(c *kernel.Context) error { c.Stop(); return nil }
				k.spawn(table{
					"_start": func(c *kernel.Context) error { c.Sig("ENOUGH", "end"); return c.AliasSet("victim") },
					"end":    end,
					"arm":    func(c *kernel.Context) error { c.Delay("end", 0); return nil },
					"breed":  func(c *kernel.Context) error { _, err := c.Spawn(nop); return err },
					"_child": func(c *kernel.Context) error {
						if c.Arg(0) == "lose" {
							return end(c)
						}
						return nil
					},
					"_stop": func(c *kernel.Context) error {
						select {
						case <-c.Done():
						default:
							t.Error("Done is open in _stop")
						}
						k.note("stop")
						release()
						return nil
					},
				})
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go":     func(c *kernel.Context) error { do(k, c); return nil },
				})
				k.run()
				k.wantNotes("stop")
			})
		})
	}
}

// Two whole trees and chains of children end while their parents do, again and
// again: nobody is lost, everyone gets one _stop.
func TestG5_StopsOverlap(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for round := range 30 {
			k := boot(t, m, seed(uint64(round)))
			var node func(depth int) table
			node = func(depth int) table {
				return table{
					"_start": func(c *kernel.Context) error { return c.Yield("grow") },
					"grow": func(c *kernel.Context) error {
						for range 3 {
							if depth > 0 {
								_, err := c.Spawn(node(depth - 1))
								must(err)
							}
						}
						c.DelayAdd("never", time.Hour)
						if depth == 1 {
							c.DelayAdd("end", time.Duration(round)*10*time.Microsecond)
						}
						if depth == 0 && round%3 == 0 {
							return fmt.Errorf("boom")
						}
						return nil
					},
					"end":   func(c *kernel.Context) error { c.Stop(); return nil },
					"_stop": func(*kernel.Context) error { k.note("stop"); return nil },
				}
			}
			k.spawn(node(3))
			k.spawn(table{
				"_start": func(c *kernel.Context) error { c.Delay("term", time.Duration(round)*20*time.Microsecond); return nil },
				"term": func(c *kernel.Context) error {
					must(c.Signal("", "TERM"))
					k.Stop()
					return c.Signal("", "ZOMBIE")
				},
			})
			var x *kernel.Exception
			if err := k.Run(t.Context()); err != nil && !errors.As(err, &x) {
				t.Fatal(err)
			}
			k.clean()
			expect(t, "stopped", k.stopped.Load(), k.spawned.Load())
			expect(t, "_stops", int64(len(k.journal())), k.spawned.Load()-1)
		}
	})
}

// Parallel: a session whose _stop is over, and whose parent is too busy to hear of
// it, gets nothing more; calls still reach it (K30).
func TestG5_StopIsTheLastEvent(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	stopped, gate := make(chan kernel.Address), make(chan int)
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			a, err := c.Spawn(table{
				"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); return c.Yield("end") },
				"end":    func(c *kernel.Context) error { c.Stop(); return nil },
				"_stop":  func(c *kernel.Context) error { k.note("stop"); stopped <- c.Self(); return nil },
				"news":   k.noting("a signal after _stop"),
				"call":   k.noting("call"),
			})
			must(err)
			<-gate
			_, err = c.Call(a, "call")
			return err
		},
		"_child": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
	})
	go func() {
		must(k.Signal(<-stopped, "NEWS"))
		l, err := k.SpawnHeld(table{
			"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); return nil },
			"news":   func(*kernel.Context) error { close(gate); return nil },
		})
		must(err)
		must(k.Signal("", "NEWS")) // behind the first
		<-gate
		l.Release()
	}()
	k.run()
	k.wantNotes("create", "stop", "call", "lose")
}
