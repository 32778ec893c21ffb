package kernel_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// A spawn, a detachment and a stop run the handlers of others before they return
// to the handler that asked, on one stack.
func TestT2_OthersRunNested(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		child := func(name string) table {
			return table{
				"_start":  k.noting(name + " starts"),
				"_parent": k.noting(name + " moves"),
				"_stop":   k.noting(name + " stops"),
				"end":     func(c *kernel.Context) error { c.Stop(); return nil },
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				must(c.Yield("queued"))
				kept, err := c.Spawn(child("kept"))
				must(err)
				k.note("spawned")
				lost, err := c.Spawn(child("lost"))
				must(err)
				must(c.DetachChild(lost))
				k.note("detached")
				for _, a := range []kernel.Address{kept, lost} {
					_, err = c.Call(a, "end")
					must(err)
				}
				k.note("stopped")
				return nil
			},
			"_child": func(c *kernel.Context) error { k.note("parent: %v", c.Arg(0)); return nil },
			"queued": k.noting("queued"),
		})
		k.run()
		k.wantNotes("kept starts", "parent: create", "spawned",
			"lost starts", "parent: create", "parent: lose", "lost moves", "detached",
			"kept stops", "parent: lose", "lost stops", "stopped", "queued")
	})
}

// Parallel: a parent that is busy elsewhere hears of its child's end as soon as it
// is free, ahead of its queue. Until then the child's names hold (T20).
func TestT2_T20_BusyParentHearsFirst(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	gate, stopped := make(chan int), make(chan int)
	k.service(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			a, err := c.Spawn(table{
				"end":   func(c *kernel.Context) error { c.Stop(); return nil },
				"here":  nop.none,
				"_stop": func(*kernel.Context) error { close(stopped); return nil },
			}, kernel.Alias("child"))
			must(err)
			must(c.Post(a, "end"))
			must(c.Yield("queued"))
			<-gate
			return nil
		},
		"_child": func(c *kernel.Context) error {
			if c.Arg(0) == "lose" {
				id, ok := k.Resolve("child")
				k.note("lose %v", ok && id == c.Arg(1))
			}
			return nil
		},
		"queued": func(c *kernel.Context) error {
			_, err := c.Call("child", "here")
			k.note("queued: %v", errors.Is(err, kernel.ErrNoSession))
			return nil
		},
	})
	go func() {
		<-stopped
		_, err := k.Call(t.Context(), "child", "here") // it waits until _child is on its way
		must(err)
		close(gate)
	}()
	k.run()
	k.wantNotes("lose true", "queued: true")
}

// In the serial modes nobody else runs between _stop, the parent's _child, and the
// end of the names.
func TestT20_StopIsAtomic(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			for s := range uint64(20) {
				k := boot(t, m, seed(s))
				k.spawn(table{
					"_start": func(c *kernel.Context) error {
						_, err := c.Spawn(table{
							"end":   func(c *kernel.Context) error { return c.AliasRemove("child") },
							"_stop": k.noting("_stop"),
						}, kernel.Alias("child"))
						must(err)
						return c.Post("child", "end")
					},
					"_child": func(c *kernel.Context) error {
						if c.Arg(0) == "lose" {
							k.note("lose")
						}
						return nil
					},
				})
				id, _ := k.Resolve("child")
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("look", 12) },
					"look": func(c *kernel.Context) error {
						n := c.Arg(0).(int)
						_, there := k.Resolve(id)
						if k.note("%v", there); n == 0 {
							return nil
						}
						return c.Yield("look", n-1)
					},
				})
				k.run()
				got := k.journal()
				at := slices.Index(got, "_stop")
				if at < 0 || got[at+1] != "lose" || slices.Contains(got[:at], "false") || slices.Contains(got[at:], "true") {
					t.Errorf("seed %d: the session is there: %v", s, got)
				}
			}
		})
	}
}

// Step inside a handler handles one other event, nested, and leaves the handler
// what it was; it does not wait, moves no clock, sends no IDLE, and does not
// collect the session whose handler runs.
func TestT5_StepInAHandler(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			k.service(table{
				"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
				"inner":  func(c *kernel.Context) error { k.note("inner of %v", c.Sender()); return nil },
				"idle":   k.noting("IDLE"),
			})
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go", 7) },
				"go": func(c *kernel.Context) error {
					must(c.Post("service 1", "inner"))
					expect(t, "one event", k.Step(), true)
					k.note("%s %v of %v", c.Event(), c.Args(), c.Self())
					id := c.DelaySet("never", time.Hour)
					before := k.Now()
					for range 3 {
						expect(t, "none is due", k.Step(), false)
					}
					if passed := k.Now().Sub(before); passed > time.Minute || m == kernel.Simulated && passed > 0 {
						t.Errorf("the clock moved by %v", passed)
					}
					_, err := c.AlarmRemove(id)
					expect(t, "and nothing holds this session", k.Step(), false)
					k.note("ends")
					return err
				},
				"_stop": k.noting("_stop"),
			})
			k.run()
			k.wantNotes("inner of #2", "go [7] of #2", "ends", "_stop", "IDLE")
		})
	}
}

// In the serial modes no two handlers overlap, of whatever sessions, though
// goroutines post and call: they may share state without a lock.
func TestT8_NoTwoHandlersOverlap(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			const sessions, each = 8, 100
			shared, inside := 0, atomic.Bool{} // shared is for the race detector
			var leases []*kernel.Lease
			for range sessions {
				l, err := k.SpawnHeld(table{"x": func(c *kernel.Context) error {
					if !inside.CompareAndSwap(false, true) {
						t.Error("two handlers at once")
					}
					shared++
					inside.Store(false)
					return nil
				}})
				must(err)
				leases = append(leases, l)
			}
			var wg sync.WaitGroup
			for i, l := range leases {
				wg.Go(func() {
					for range each {
						must(l.Post("x"))
						if m == kernel.Serial {
							_, err := k.Call(t.Context(), leases[(i+1)%sessions].Address(), "x")
							must(err)
						}
					}
				})
			}
			go func() {
				wg.Wait()
				for _, l := range leases {
					l.Release()
				}
			}()
			k.run()
			want := sessions * each
			if m == kernel.Serial {
				want *= 2
			}
			expect(t, "handlers run", shared, want)
		})
	}
}

// Parallel, one worker: after 256 events of a session that never runs dry another
// has its turn.
func TestT9_BatchIsBounded(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(1))
	var n atomic.Int64
	over := false
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("spin") },
		"spin": func(c *kernel.Context) error {
			if n.Add(1) == 1 {
				must(c.Post("other", "x"))
			}
			if over {
				return nil
			}
			return c.Yield("spin")
		},
		"over": func(*kernel.Context) error { over = true; return nil },
	}, kernel.Alias("spinner"))
	k.spawn(table{"x": func(c *kernel.Context) error {
		if had := n.Load(); had > 256 {
			t.Errorf("the other's turn came after %d events", had)
		}
		return c.Post("spinner", "over")
	}}, kernel.Alias("other"))
	k.run()
}

// A wheel's turn stands in its session's queue, where it was asked for.
func TestT10_TurnsStandInLine(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for s := range uint64(20) {
			k := boot(t, m, seed(s))
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					src := c.NewSource("test", func(*kernel.Context) { k.note("turn") }, nil)
					must(c.Yield("before"))
					src.Wake()
					return c.Yield("after")
				},
				"before": k.noting("before"),
				"after":  k.noting("after"),
			})
			k.run()
			k.wantNotes("before", "turn", "after")
		}
	})
}

// A listener that counts its clients by calls from their _stop counts right.
func TestT24_CountedByCallsFromStop(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		const clients = 60
		k := boot(t, m)
		open, ever := 0, 0
		call := func(c *kernel.Context, event string) { _, err := c.Call("listener", event); must(err) }
		client := table{
			"_start": func(c *kernel.Context) error { call(c, "opened"); return c.Yield("work", 3) },
			"work": func(c *kernel.Context) error {
				if n := c.Arg(0).(int); n > 0 {
					return c.Yield("work", n-1)
				}
				return nil
			},
			"_stop": func(c *kernel.Context) error { call(c, "closed"); return nil },
		}
		k.spawn(table{
			"accept": func(c *kernel.Context) error { _, err := c.Spawn(client); return err },
			"opened": func(*kernel.Context) error { open++; ever++; return nil },
			"closed": func(*kernel.Context) error { open--; return nil },
		}, kernel.Alias("listener"))
		for range clients {
			must(k.Post("listener", "accept"))
		}
		k.run()
		expect(t, "clients served", ever, clients)
		expect(t, "clients left", open, 0)
	})
}

// Parallel: a signal's handler that blocks holds up its own session only: not one
// that was told before it (and was busy then, or not), no other signal, and not
// the kernel's stop.
func TestT11_T25_BlockedSignalHandler(t *testing.T) {
	for name, spins := range map[string]int{"free": 0, "busy": 10_000} {
		t.Run(name, func(t *testing.T) {
			k := boot(t, kernel.Parallel, workers(2))
			child := watcher(k, "child", "NEWS", func(c *kernel.Context) error { k.note("child hears"); return c.Yield("next") })
			child["next"] = func(c *kernel.Context) error { k.note("child goes on"); return c.Signal("other", "USR1") }
			child["send"] = func(c *kernel.Context) error {
				must(c.Signal("pa", "NEWS"))
				for range spins { // the signal waits at the head of the queue
					runtime.Gosched()
				}
				return nil
			}
			pa := watcher(k, "pa", "NEWS", func(c *kernel.Context) error { <-c.Done(); k.note("pa is told to stop"); return nil })
			start := pa["_start"]
			pa["_start"] = func(c *kernel.Context) error { _, err := c.Spawn(child); return errors.Join(err, start(c)) }
			k.spawn(pa)
			k.spawn(watcher(k, "other", "USR1", func(*kernel.Context) error { k.note("other hears"); k.Stop(); return nil }))
			must(k.Post("child", "send"))
			k.run()
			got := k.journal()
			k.notes = got[:3]
			k.wantNotes("child hears", "child goes on", "other hears")
			k.notes = got[3:]
			k.wantSet("pa is told to stop", "child stops", "pa stops", "other stops")
		})
	}
}
