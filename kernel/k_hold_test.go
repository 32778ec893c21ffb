package kernel_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// K22: what does not hold a session: signal watches, that of CHLD included,
// handlers, monitors of others and by others, and who knows its address.
func TestK22_WhatDoesNotHold(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		release := k.Hold("no IDLE") // only collection can end the session
		other := k.service(table{"watch": func(c *kernel.Context) error { return c.Monitor(c.Arg(0).(kernel.Address), "ended") }, "ended": k.noting("ended")})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				for _, sig := range []string{"CHLD", "USR1", "TERM", "NEWS", "IDLE"} {
					c.Sig(sig, "x")
				}
				c.State("x", nop.none)
				_, err := c.Call(other, "watch", c.Self())
				must(err)
				return c.Monitor(other, "x")
			},
			"_stop": func(*kernel.Context) error { k.note("stop"); release(); return nil },
		})
		k.run()
		k.wantNotes("stop", "ended")
	})
}

// K24: losing the last hold only marks a session. Whoever posts to it in the same
// turn, be it another session's event, rescues it.
func TestK24_RescueByAnotherSessionInTheSameTurn(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		a := k.spawn(table{
			"let go": func(c *kernel.Context) error { return c.AliasRemove("alias") },
			"x":      k.noting("x"),
			"_stop":  k.noting("stop"),
		}, kernel.Alias("alias"))
		b := k.spawn(table{"rescue": func(c *kernel.Context) error { return c.Post(a, "x") }})
		must(k.Post(a, "let go"))
		must(k.Post(b, "rescue"))
		k.run()
		k.wantNotes("x", "stop")
	})
}

// K26: a lease that comes and goes in _start does not end the session early.
func TestK26_LeaseRaisedAndDroppedInStart(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		brief := func(name string) table {
			return table{
				"_start": func(c *kernel.Context) error {
					c.Lease("here").Release()
					there, over := c.Lease("there"), make(chan int)
					go func() { there.Release(); close(over) }()
					<-over
					return nil
				},
				"hello": k.noting("hello " + name),
				"_stop": k.noting(name + " stops"),
			}
		}
		first := k.spawn(brief("first"))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				second, err := c.Spawn(brief("second"))
				must(err)
				return c.Post(second, "hello")
			},
		})
		must(k.Post(first, "hello"))
		k.run()
		k.wantSet("hello first", "first stops", "hello second", "second stops")
	})
}

// K27: of sessions that lose their holds together, the last is collected first.
func TestK27_CollectedLastMarkedFirst(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		for _, name := range []string{"1", "2", "3"} {
			k.spawn(table{"_stop": k.noting(name)})
		}
		k.run()
		k.wantNotes("3", "2", "1")
	})
}

// K28: left to themselves, parents stop after their last child, whatever the
// shape of the tree and however long each member lives.
func TestK28_ParentsStopAfterTheirLastChild(t *testing.T) {
	n := uint64(0)
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		n++
		var node func(rng *rand.Rand, depth int) table
		node = func(rng *rand.Rand, depth int) table {
			kids, ticks := 0, 1+rng.IntN(3)
			return table{
				"_start": func(c *kernel.Context) error { return c.Yield("tick") },
				"tick": func(c *kernel.Context) error {
					for range rng.IntN(3) {
						if depth > 0 {
							_, err := c.Spawn(node(rand.New(rand.NewPCG(rng.Uint64(), n)), depth-1))
							must(err)
						}
					}
					if ticks--; ticks == 0 {
						return nil // whatever it has left holds it now, or nothing
					}
					if rng.IntN(2) == 0 {
						return c.Yield("tick")
					}
					c.Delay("tick", time.Duration(rng.IntN(50))*time.Microsecond)
					return nil
				},
				"_child": func(c *kernel.Context) error {
					switch c.Arg(0) {
					case "create":
						kids++
					case "lose":
						kids--
					default:
						k.t.Errorf("_child %v", c.Arg(0))
					}
					return nil
				},
				"_parent": func(*kernel.Context) error { k.t.Error("a parent left its child"); return nil },
				"_stop": func(c *kernel.Context) error {
					expect(k.t, "children left at _stop", kids, 0)
					expect(k.t, "ticks left at _stop", ticks, 0)
					return nil
				},
			}
		}
		for range 3 {
			k.spawn(node(rand.New(rand.NewPCG(uint64(k.spawned.Load()), n)), 4))
		}
		k.run()
		expect(k.t, "stopped", k.stopped.Load(), k.spawned.Load())
	})
}

// An event that its sender's forced stop has made void (K34) does not hold its
// receiver (K21) any longer.
func TestK21_K34_AVoidEventHoldsNobody(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		release := k.Hold("no IDLE") // only collection can end the receiver
		to := k.spawn(table{
			"x":     nop.none,
			"_stop": func(*kernel.Context) error { k.note("stop"); release(); return nil },
		})
		k.spawn(table{"_start": func(c *kernel.Context) error {
			must(c.Signal(c.Self(), "KILL"))
			return c.Post(to, "x")
		}})
		k.run()
		k.wantNotes("stop")
	})
}

// Parallel: a call that waited for a session and gave up does not hold it.
func TestG5_ACallThatGaveUpHoldsNobody(t *testing.T) {
	k := boot(t, kernel.Parallel)
	release := k.Hold("no IDLE")
	busy, gate := make(chan int), make(chan int)
	a := k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("block") },
		"block":  func(*kernel.Context) error { close(busy); <-gate; return nil },
		"_stop":  func(*kernel.Context) error { k.note("stop"); release(); return nil },
	})
	go func() {
		<-busy
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			until(t, "the call waits", func() bool { return k.WaitingCalls() == 1 })
			cancel()
		}()
		if _, err := k.Call(ctx, a, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("Call: %v", err)
		}
		close(gate)
	}()
	k.run()
	k.wantNotes("stop")
}
