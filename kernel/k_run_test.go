package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// K1 differs: there may be many kernels. Their names are apart, and the end of
// one is nothing to the other.
func TestK1_KernelsAreApart(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		one, two := boot(t, m), boot(t, m)
		for _, k := range []*fixture{one, two} {
			k.service(table{"x": k.noting("x"), "_stop": k.noting("stop")})
		}
		only := two.spawn(nop, kernel.Alias("only in two"))
		if err := one.Post("only in two", "x"); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("post to a session of the other kernel: %v", err)
		}
		if _, ok := one.Resolve(only); ok {
			t.Errorf("%v is not of the first kernel", only)
		}
		one.Stop()
		one.run()
		one.wantNotes("stop")
		must(two.Post("service 1", "x"))
		two.run()
		two.wantNotes("x", "stop")
	})
}

// K2 differs: the kernel is the empty address. It is the parent of all, sends the
// kernel's own events and takes signals, but is no session: no posts, no calls.
func TestK2_TheEmptyAddressIsTheKernel(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		nobody := func(what string, err error) {
			var pe *kernel.PostError
			if !errors.Is(err, kernel.ErrNoSession) || !errors.As(err, &pe) || pe.To != "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		for range 2 {
			k.service(table{
				"_start": func(c *kernel.Context) error {
					expect(t, "who spawned from outside", c.Sender(), "")
					c.Sig("NEWS", "news")
					return nil
				},
				"news": func(c *kernel.Context) error {
					k.note("news from %v", c.Sender())
					_, err := c.Call("", "x")
					nobody("Context.Call", err)
					nobody("Context.Post", c.Post("", "x"))
					return nil
				},
			})
		}
		nobody("Kernel.Post", k.Post("", "x"))
		_, err := k.Call(t.Context(), "", "x")
		nobody("Kernel.Call", err)
		if a, ok := k.Resolve(""); ok {
			t.Errorf("the kernel resolves to %v", a)
		}
		must(k.Signal("", "NEWS"))
		k.run()
		k.wantNotes("news from kernel", "news from kernel")
	})
}

// K4: Run returns when the last session is gone, those included that were made
// while it ran; unlike POE's it says how that went.
func TestK4_RunLastsAsLongAsSessionsAreMade(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var generation func(n int) table
		generation = func(n int) table {
			return table{
				"_start": func(c *kernel.Context) error { c.Delay("breed", 100*time.Microsecond); return nil },
				"breed": func(c *kernel.Context) error {
					if n == 0 {
						return nil
					}
					heir, err := c.Spawn(generation(n - 1))
					must(err)
					return c.DetachChild(heir) // it does not hold this one
				},
				"_stop": k.noting(fmt.Sprint("stop ", n)),
			}
		}
		k.spawn(generation(5))
		k.run()
		k.wantSet("stop 0", "stop 1", "stop 2", "stop 3", "stop 4", "stop 5")
	})
}

// K7, K19 differ: nothing is printed at the end, but at any moment the kernel says
// who is there and why, be it that Run was never called.
func TestK7_K19_WhoIsLeftCanBeAsked(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{"_start": func(c *kernel.Context) error {
			c.Lease("a lease")
			c.Delay("later", time.Hour)
			_, err := c.Spawn(nop, kernel.Alias("kid"))
			return err
		}})
		expect(t, "sessions before Run", fmt.Sprint(k.Sessions()), "[#1 #2]")
		why := k.Explain("#1")
		for _, want := range []string{`lease "a lease"`, `timer "later" in `, "child #2"} {
			if !strings.Contains(why, want) {
				t.Errorf("%q is missing in:\n%s", want, why)
			}
		}
		k.Stop()
		k.run()
		expect(t, "sessions after Run", len(k.Sessions()), 0)
	})
}

// K8: a failure comes out of Run, not before everyone has stopped and everything
// is gone; then the kernel works as before.
func TestK8_FailureComesOutWhenAllIsClean(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		for range 2 {
			boom := errors.New("boom")
			k.service(table{
				"_start": func(c *kernel.Context) error {
					c.Lease("for ever")
					c.Delay("never", time.Hour)
					c.Sig("NEWS", "x")
					_, err := c.Spawn(table{"_start": func(c *kernel.Context) error { c.Lease("for ever"); return nil }, "_stop": k.noting("kid stops")})
					return err
				},
				"_stop": k.noting("bystander stops"),
			})
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("fail") },
				"fail":   func(*kernel.Context) error { return boom },
				"_stop":  k.noting("culprit stops"),
			})
			err := k.Run(context.Background())
			var x *kernel.Exception
			if !errors.Is(err, boom) || !errors.As(err, &x) || x.Event != "fail" {
				k.t.Errorf("Run: %v", err)
			}
			k.clean()
			k.wantSet("kid stops", "bystander stops", "culprit stops")
			k.notes = nil

			k.spawn(table{"_start": func(c *kernel.Context) error { c.Delay("x", time.Microsecond); return nil }, "x": k.noting("works")})
			k.run()
			k.wantNotes("works")
			k.notes = nil
		}
	})
}

// K10 differs: a loop of one's own around Step. What is left when it ends is
// alive, and Run goes on from there.
func TestK10_StepWhileACondition(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		left := 10
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("x") },
			"x": func(c *kernel.Context) error {
				if left--; left > 0 {
					return c.Yield("x")
				}
				return nil
			},
			"_stop": k.noting("stop"),
		})
		for left > 4 && k.Step() {
		}
		expect(k.t, "left by the loop", left, 4)
		_, alive := k.Resolve(a)
		expect(k.t, "alive", alive, true)
		k.wantNotes()
		k.run()
		expect(k.t, "left by Run", left, 0)
		k.wantNotes("stop")
	})
}

// K14 differs: Step in a handler handles one event, nested, and puts everything
// back. It collects nobody whose handler is on the stack, which POE does.
func TestK14_StepInAHandler(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("outer", 7) },
			"outer": func(c *kernel.Context) error {
				self := c.Self()
				must(c.Yield("inner", 1))
				must(c.Yield("inner", 2))
				for n := 1; k.Step(); n++ {
					k.note("after step %d: %s %v %v", n, c.Event(), c.Arg(0), c.Self() == self)
				}
				k.note("outer returns")
				return nil
			},
			"inner": func(c *kernel.Context) error { k.note("inner %v", c.Arg(0)); return nil },
			"_stop": k.noting("stop"),
		})
		k.run()
		k.wantNotes("inner 1", "after step 1: outer 7 true", "inner 2", "after step 2: outer 7 true", "outer returns", "stop")
	})
}

// K15 differs: Stop is queued. When its turn comes everyone stops whatever holds
// them, leaves first, with _stop and _child and without _parent; Run returns nil.
func TestK15_StopEndsEveryoneLeavesFirst(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		member := func(name string, kids ...table) table {
			return table{
				"_start": func(c *kernel.Context) error {
					must(c.AliasSet(name))
					c.Lease("for ever")
					c.Delay("never", time.Hour)
					for _, kid := range kids {
						_, err := c.Spawn(kid)
						must(err)
					}
					return nil
				},
				"_child": func(c *kernel.Context) error {
					if c.Arg(0) != "create" {
						k.note("%s: %v %v", name, c.Arg(0), c.Arg(2))
					}
					return nil
				},
				"_parent": k.noting("must not come"),
				"_stop":   func(c *kernel.Context) error { k.note("%s stops", name); c.Return(name); return nil },
			}
		}
		k.spawn(member("a", member("b", member("c"))))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go":     func(*kernel.Context) error { k.Stop(); return nil },
		})
		k.run()
		k.wantNotes("c stops", "b: lose c", "b stops", "a: lose b", "a stops")
	})
}
