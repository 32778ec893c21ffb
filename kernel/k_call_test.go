package kernel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// A call runs before everything that is queued for its target, posts made right
// before it included, and returns the handler's value, nil if there is none.
// Before Run nothing else runs handlers, so this is exact in every mode.
func TestK64_CallRunsAtOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var a, b kernel.Address
		now := func(c *kernel.Context) error {
			k.note("%v now %v", c.Self(), c.Args())
			if v := c.Arg(0); v != nil {
				c.Return(fmt.Sprint(v, "!"))
			}
			return nil
		}
		x := func(c *kernel.Context) error { k.note("%v x %v", c.Self(), c.Arg(0)); return nil }
		b = k.spawn(table{"now": now, "x": x})
		a = k.spawn(table{
			"now": now,
			"x":   x,
			"go": func(c *kernel.Context) error {
				for i, to := range []kernel.Address{b, a, b, a} {
					must(c.Post(to, "x", i))
					v, err := c.Call(to, "now", i)
					k.note("got %v %v", v, err)
				}
				v, err := c.Call(b, "now")
				k.note("got %v %v", v, err)
				_, err = c.Call("nobody", "now")
				k.note("nobody: %v", errors.Is(err, kernel.ErrNoSession))
				return nil
			},
		})
		_, err := k.Call(t.Context(), a, "go")
		must(err)
		k.wantNotes(
			"#1 now [0]", "got 0! <nil>", "#2 now [1]", "got 1! <nil>", "#1 now [2]", "got 2! <nil>", "#2 now [3]", "got 3! <nil>",
			"#1 now []", "got <nil> <nil>", "nobody: true")
		k.notes = nil
		k.run()
		k.wantSet("#1 x 0", "#2 x 1", "#1 x 2", "#2 x 3")
	})
}

// A context is its handler's own: calls to others and to oneself, those that
// fail, and sessions that are spawned on the way leave it as it was.
func TestK65_EachHandlerHasItsOwnContext(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var a, b kernel.Address
		same := func(c *kernel.Context, self, sender kernel.Address, event string, args ...any) {
			t.Helper()
			if c.Self() != self || c.Sender() != sender || c.Event() != event || !slices.Equal(c.Args(), args) {
				t.Errorf("%v got %q %v from %v, want %v %q %v from %v", c.Self(), c.Event(), c.Args(), c.Sender(), self, event, args, sender)
			}
		}
		handlers := table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
			"die":    func(c *kernel.Context) error { c.SigHandled(); return nil },
			"_child": func(*kernel.Context) error { return nil },
			"inner": func(c *kernel.Context) error {
				same(c, c.Arg(0).(kernel.Address), a, "inner", c.Arg(0), 7)
				c.Return("inner")
				return nil
			},
			"error": boom,
			"panic": func(*kernel.Context) error { panic("ouch") },
			"outer": func(c *kernel.Context) error {
				c.Return("outer")
				for _, to := range []kernel.Address{a, b} {
					for _, e := range []string{"inner", "error", "panic", "unknown"} {
						_, err := c.Call(to, e, to, 7)
						expect(t, e+" failed", err != nil, e != "inner")
						same(c, a, "", "outer", 1, 2, 3)
					}
				}
				_, err := c.Spawn(table{"_start": func(c *kernel.Context) error {
					same(c, c.Self(), a, "_start", "x")
					_, err := c.Call(b, "error")
					expect(t, "error in _start", err, errBoom)
					same(c, c.Self(), a, "_start", "x")
					return nil
				}}, kernel.Args("x"))
				same(c, a, "", "outer", 1, 2, 3)
				return err
			},
		}
		a, b = k.service(handlers), k.service(handlers)
		v, err := k.Call(t.Context(), a, "outer", 1, 2, 3)
		if v != "outer" || err != nil {
			t.Errorf("Call: %v, %v", v, err)
		}
		k.run()
	})
}

// callNode is one call of a random program: which session it is for, and the
// calls that its handler makes.
type callNode struct {
	to   int
	kids []*callNode
}

func randomCalls(rng *rand.Rand, sessions, depth int) *callNode {
	n := &callNode{to: rng.IntN(sessions)}
	if depth > 0 {
		for range rng.IntN(4) {
			n.kids = append(n.kids, randomCalls(rng, sessions, depth-1))
		}
	}
	return n
}

// journal is what the calls must leave behind: open is how many handlers of a
// session are on the stack, which every one of them can see in its state.
func (n *callNode) journal(open []int) (list []string) {
	open[n.to]++
	list = append(list, fmt.Sprintf("%d in %d", n.to, open[n.to]))
	for _, kid := range n.kids {
		list = append(list, kid.journal(open)...)
	}
	list = append(list, fmt.Sprintf("%d out %d", n.to, open[n.to]))
	open[n.to]--
	return list
}

// Random programs of nested calls among a few sessions, back and forth on one
// chain, do exactly what plain function calls would.
func TestK66_CallsReenterLikeFunctions(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for round := range uint64(40) {
			k := boot(t, m, seed(round))
			const sessions = 4
			var to [sessions]kernel.Address
			for i := range to {
				open := 0
				to[i] = k.service(table{"run": func(c *kernel.Context) error {
					open++
					k.note("%d in %d", i, open)
					for _, kid := range c.Arg(0).(*callNode).kids {
						if _, err := c.Call(to[kid.to], "run", kid); err != nil {
							return err
						}
					}
					k.note("%d out %d", i, open)
					open--
					return nil
				}})
			}
			program := randomCalls(rand.New(rand.NewPCG(round, 0)), sessions, 6)
			must(k.Post(to[program.to], "run", program))
			k.run()
			k.wantNotes(program.journal(make([]int, sessions))...)
		}
	})
}

// Two sessions call each other thousands of calls deep.
func TestK66_DeepCalls(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		down := func(c *kernel.Context) error {
			n := c.Arg(0).(int)
			if n == 0 {
				c.Return(0)
				return nil
			}
			v, err := c.Call(c.Sender(), "down", n-1)
			if err != nil {
				return err
			}
			c.Return(v.(int) + 1)
			return nil
		}
		b := k.service(table{"down": down})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				v, err := c.Call(b, "down", 5000)
				k.note("%v %v", v, err)
				return nil
			},
			"down": down,
		})
		k.run()
		k.wantNotes("5000 <nil>")
	})
}

// Values come as they are, from calls, _start and _stop; and the address of a
// session does not keep it.
func TestK67_ValuesPassAsTheyAre(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		type thing struct{ n int }
		started, called, ended := &thing{1}, &thing{2}, &thing{3}
		returning := func(v any) kernel.Handler {
			return func(c *kernel.Context) error { c.Return(v); return nil }
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				kid, err := c.Spawn(table{
					"_start": returning(started), "call": returning(called), "_stop": returning(ended),
					"who": func(c *kernel.Context) error { c.Return(c.Self()); return nil },
				})
				must(err)
				v, err := c.Call(kid, "call")
				expect(t, "of a call", v == called && err == nil, true)
				v, err = c.Call(c.Self(), "mine")
				expect(t, "of a call to itself", v == called && err == nil, true)
				v, err = c.Call(kid, "who")
				expect(t, "the kid", v == kid && err == nil, true)
				return nil
			},
			"mine": returning(called),
			"_child": func(c *kernel.Context) error {
				k.note("%v", c.Arg(0))
				expect(t, "value", c.Arg(2), map[any]any{"create": started, "lose": ended}[c.Arg(0)])
				return nil
			},
		})
		k.run()
		k.wantNotes("create", "lose")
	})
}

// A panic in a call to oneself is the caller's error, as with any other call: the
// caller goes on, and DIE comes once.
func TestK69_PanicInACallToOneself(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				_, err := c.Call(c.Self(), "panic")
				var x *kernel.Exception
				k.note("%v, go on", errors.As(err, &x) && errors.Is(err, errBoom) && x.Session == c.Self() && x.Event == "panic")
				return c.Yield("later")
			},
			"panic": func(*kernel.Context) error { panic(errBoom) },
			"die":   func(c *kernel.Context) error { c.SigHandled(); k.note("DIE"); return nil },
			"later": k.noting("later"),
		})
		k.run()
		expect(t, "first", k.journal()[0], "true, go on")
		k.wantSet("true, go on", "DIE", "later")
	})
}

// The kernel takes no calls. A session whose _stop or _child("lose") runs does, by
// ID and by alias, and from itself.
func TestK70_CallsToTheKernelAndToTheDying(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var kid kernel.Address
		call := func(c *kernel.Context, when string) {
			for _, to := range []kernel.Address{"", kid, "kid"} {
				v, err := c.Call(to, "hello")
				k.note("%s: %v %v", when, v, errors.Is(err, kernel.ErrNoSession))
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) (err error) {
				kid, err = c.Spawn(table{
					"hello": func(c *kernel.Context) error { c.Return("hi"); return nil },
					"_stop": func(c *kernel.Context) error { call(c, "_stop"); return nil },
				}, kernel.Alias("kid"))
				return err
			},
			"_child": func(c *kernel.Context) error {
				if c.Arg(0) == "lose" {
					call(c, "lose")
				}
				return nil
			},
		}, kernel.Alias("pa"))
		k.run()
		k.wantNotes(
			"_stop: <nil> true", "_stop: hi false", "_stop: hi false",
			"lose: <nil> true", "lose: hi false", "lose: hi false")
		if _, err := k.Call(t.Context(), "", "x"); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("Kernel.Call to the kernel: %v", err)
		}
	})
}

// A wheel's events come in a turn of its own: not inside the handler that made
// or woke it, nor inside its calls; within that turn each handler has run when
// Deliver returns, ahead of what is queued for the session.
func TestK71_WheelsHaveTurnsOfTheirOwn(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				var src *kernel.Source
				src = c.NewSource("test", func(c *kernel.Context) {
					for i := range 2 {
						src.Deliver(c, "data", i)
						k.note("delivered %d", i)
					}
					src.Close()
				}, nil)
				src.Wake()
				_, err := c.Call(c.Self(), "nested")
				k.note("go returns")
				return err
			},
			"nested": k.noting("nested"),
			"data": func(c *kernel.Context) error {
				k.note("data %v", c.Arg(0))
				expect(t, "sender", c.Sender(), c.Self())
				return c.Yield("queued")
			},
			"queued": k.noting("queued"),
		})
		k.run()
		k.wantNotes("nested", "go returns", "data 0", "delivered 0", "data 1", "delivered 1", "queued", "queued")
	})
}
