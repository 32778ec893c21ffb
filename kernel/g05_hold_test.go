package kernel_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// holder is one thing that keeps a session: take sets it up in the session's own
// handler, drop undoes it there; free, if set, is called from outside instead.
type holder struct {
	take func(t *testing.T, c *kernel.Context)
	drop func(c *kernel.Context)
	free func()

	pause func(c *kernel.Context) // if it can be made to hold without being watched
}

func holders() map[string]*holder {
	var lease *kernel.Lease
	var pb *kernel.Postback
	var child kernel.Address
	var src *kernel.Source
	var handle, other *os.File
	var pid int
	var kill func() error
	return map[string]*holder{
		"timer": {
			take: func(_ *testing.T, c *kernel.Context) { c.Delay("never", time.Hour) },
			drop: func(c *kernel.Context) { c.AlarmClear("never") },
		},
		"alias": {
			take: func(_ *testing.T, c *kernel.Context) { must(c.AliasSet("held")) },
			drop: func(c *kernel.Context) { must(c.AliasRemove("held")) },
		},
		"lease":    {take: func(_ *testing.T, c *kernel.Context) { lease = c.Lease("test") }, free: func() { lease.Release() }},
		"postback": {take: func(_ *testing.T, c *kernel.Context) { pb = c.Postback("x") }, free: func() { pb.Release() }},
		"child": {
			take: func(_ *testing.T, c *kernel.Context) {
				a, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error { c.Delay("never", time.Hour); return nil },
					"end":    func(c *kernel.Context) error { c.AlarmRemoveAll(); return nil },
				})
				must(err)
				child = a
			},
			drop: func(c *kernel.Context) { must(c.Post(child, "end")) },
		},
		"watching wheel": {
			take: func(_ *testing.T, c *kernel.Context) {
				src = c.NewSource("test", func(*kernel.Context) {}, nil)
				src.Watch(true)
			},
			drop: func(*kernel.Context) { src.Watch(false) },
		},
		"watched handle": {
			take: func(t *testing.T, c *kernel.Context) {
				var err error
				handle, other, err = os.Pipe() // other is kept: its end would be readable
				must(err)
				if err := c.SelectRead(handle, "x"); errors.Is(err, errors.ErrUnsupported) {
					t.Skip(err)
				} else {
					must(err)
				}
			},
			drop:  func(c *kernel.Context) { must(c.SelectRead(handle, "")); handle.Close(); other.Close() },
			pause: func(c *kernel.Context) { must(c.SelectPauseRead(handle)) },
		},
		"watched process": {
			take: func(t *testing.T, c *kernel.Context) {
				cmd := exec.Command("sleep", "3600")
				launch(t, cmd)
				pid, kill = cmd.Process.Pid, cmd.Process.Kill
				c.SigChild(pid, "x")
			},
			free: func() { must(kill()) },
		},
	}
}

// Each hold keeps a session by itself, as long as it lasts and no longer. The
// kernel is kept from IDLE by the session that looks on (K21; the queued events
// have a test of their own).
func TestG5_EveryHoldByItself_K21(t *testing.T) {
	for name := range holders() {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				h := holders()[name]
				k := boot(t, m)
				k.Hold("no IDLE")
				var taken atomic.Bool
				a := k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("take") },
					"take":   func(c *kernel.Context) error { h.take(t, c); taken.Store(true); return nil },
					"drop":   func(c *kernel.Context) error { h.drop(c); return nil },
					"x":      func(*kernel.Context) error { return nil },
					"_stop":  k.noting("stop"),
				})
				looks, dropped := 0, false
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("look") },
					"look": func(c *kernel.Context) error {
						if !taken.Load() {
							return c.Yield("look")
						}
						_, there := c.Kernel().Resolve(a)
						switch looks++; {
						case looks < 200 && !there:
							t.Errorf("gone at look %d, the hold was still there", looks)
							k.Stop()
							return nil
						case looks == 200:
							dropped = true
							k.note("drop")
							if h.free != nil {
								h.free()
							} else {
								must(c.Post(a, "drop"))
							}
						case dropped && !there:
							k.Stop() // of the Hold
							return nil
						}
						runtime.Gosched()
						return c.Yield("look")
					},
				})
				k.run2()
				k.wantNotes("drop", "stop")
			})
		})
	}
}

// run2 is run for a kernel that ends by Stop with a Hold left.
func (k *fixture) run2() {
	k.t.Helper()
	if err := k.Run(k.t.Context()); err != nil {
		k.t.Fatalf("Run: %v", err)
	}
}

// An event queued for a session holds it (K21), and so does one that it sent (K23):
// the receiver can answer.
func TestG5_T17_EventsHoldReceiverAndSender_K21_K23(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		gate := make(chan int)
		b := k.spawn(table{
			"block": func(*kernel.Context) error {
				if m == kernel.Parallel {
					<-gate
				}
				return nil
			},
			"ask": func(c *kernel.Context) error {
				k.note("ask")
				return c.Post(c.Sender(), "answer")
			},
			"_stop": k.noting("b stop"),
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.Post(b, "block"))
				return c.Post(b, "ask")
			},
			"answer": k.noting("answer"),
			"_stop":  k.noting("a stop"),
		})
		looker := k.spawn(table{"look": func(c *kernel.Context) error {
			if n := c.Arg(0).(int); n > 0 {
				return c.Yield("look", n-1)
			}
			close(gate)
			return nil
		}})
		must(k.Post(looker, "look", 500))
		k.run()
		k.wantSet("ask", "answer", "a stop", "b stop")
		expect(t, "first", k.journal()[0], "ask")
		expect(t, "second", k.journal()[1], "answer")
	})
}

// The creator's handler holds what it spawned until it returns (K25).
func TestG5_CreatorHoldsUntilItReturns_K25(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				a, err := c.Spawn(table{"x": k.noting("x"), "_stop": k.noting("stop")})
				must(err)
				for range 1000 {
					runtime.Gosched()
				}
				return c.Post(a, "x")
			},
			"_child": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantNotes("create", "x", "stop", "lose")
	})
}

// Spawned from outside before Run: kept until Run, then collected; during Run,
// SpawnHeld keeps it until the lease is released.
func TestG5_SpawnFromOutside(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.spawn(table{"_stop": k.noting("stop")})
		if _, ok := k.Resolve(a); !ok {
			t.Error("collected before Run")
		}
		k.run()
		k.wantNotes("stop")
		if _, ok := k.Resolve(a); ok {
			t.Error("still there after Run")
		}
		if m == kernel.Simulated {
			return
		}
		release := k.Hold("test")
		go func() {
			l, err := k.SpawnHeld(table{"x": k.noting("x"), "_stop": k.noting("stop")})
			must(err)
			must(l.Post("x"))
			_, err = k.Call(t.Context(), l.Address(), "x")
			must(err)
			l.Release()
			_, err = k.Spawn(table{"_stop": k.noting("unheld stop")})
			must(err)
			release()
		}()
		k.run()
		k.wantSet("stop", "x", "x", "stop", "unheld stop")
	})
}

// K24: whoever posts between the last hold's end and the sweep rescues.
func TestG5_T19_RescueBeforeTheSweep_K24(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			a := k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.AliasSet("a") },
				"drop":   func(c *kernel.Context) error { k.note("drop"); return c.AliasRemove("a") },
				"x":      k.noting("x"),
				"_stop":  k.noting("stop"),
			})
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					_, err := c.Call(a, "drop")
					must(err)
					return c.Post(a, "x")
				},
			})
			k.run()
			k.wantNotes("drop", "x", "stop")
		})
	}
}

// K44: an alias holds against collection but not against IDLE.
func TestG5_AliasDoesNotHoldAgainstIDLE_K44(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{"serve": k.noting("serve"), "_stop": k.noting("service stops")}, kernel.Alias("service"))
		left := 20
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				if left--; left > 0 {
					return c.Yield("go")
				}
				return c.Post("service", "serve")
			},
			"_stop": k.noting("client stops"),
		})
		k.run()
		k.wantNotes("serve", "client stops", "service stops")
	})
}

// K45: a lease anywhere keeps IDLE away from everybody.
func TestG5_LeaseSuppressesIDLE_K45(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		l, err := k.SpawnHeld(nop)
		must(err)
		idle := make(chan struct{}, 8)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return c.AliasSet("a") },
			"x":      k.noting("x"),
			"idle":   func(*kernel.Context) error { k.note("idle"); idle <- struct{}{}; return nil },
			"_stop":  k.noting("stop"),
		})
		go func() {
			must(k.Post("a", "x"))
			until(t, "x is handled", func() bool { return len(k.journal()) > 0 })
			for range 1000 {
				runtime.Gosched()
			}
			k.note("release")
			l.Release()
		}()
		k.run()
		k.wantNotes("x", "release", "idle", "stop")
		expect(t, "IDLEs", len(idle), 1)
	})
}

// What holds a session and nobody has any more is found by the garbage collector,
// released and reported: a lease, and a postback, which has one (K153).
func TestG5_K153_T23_ForgottenHolds(t *testing.T) {
	forget := map[string]func(c *kernel.Context) error{
		`lease "lost"`:           func(c *kernel.Context) error { c.Lease("lost"); return nil },
		`lease "postback \"x\""`: func(c *kernel.Context) error { return c.Postback("x").Call() },
	}
	for what, start := range forget {
		t.Run(what, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				reported := make(chan string, 1)
				k := boot(t, m, func(c *kernel.Config) {
					c.Observer.Reported = func(component, cause string, err error) {
						reported <- component + ": " + cause + ": " + err.Error()
					}
				})
				k.spawn(table{
					"_start": start,
					"x":      func(*kernel.Context) error { return nil },
					"_stop":  k.noting("stop"),
				})
				done := make(chan struct{})
				go func() {
					for {
						select {
						case <-done:
							return
						default:
							runtime.GC()
						}
					}
				}()
				k.run()
				close(done)
				k.wantNotes("stop")
				report, _, _ := strings.Cut(<-reported, ", made at") // which a debug kernel knows
				expect(t, "report", report, "kernel: lease dropped without Release: "+what+" on session #1")
			})
		})
	}
}
