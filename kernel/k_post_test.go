package kernel_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/usher-go/usher/kernel"
)

// K47: an address is resolved when the event is posted. What happens to the alias
// afterwards does not concern an event that is queued.
func TestK47_AliasesThatMoveLeaveQueuedEventsAlone(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		owner := func(name string) kernel.Address {
			return k.service(table{
				"take": func(c *kernel.Context) error { return c.AliasSet("moving") },
				"drop": func(c *kernel.Context) error { return c.AliasRemove("moving") },
				"x":    func(c *kernel.Context) error { k.note("%s gets %v", name, c.Arg(0)); return nil },
			})
		}
		a, b := owner("a"), owner("b")
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				call := func(to kernel.Address, e string) { _, err := c.Call(to, e); must(err) }
				call(a, "take")
				must(c.Post("moving", "x", 1))
				must(k.Post("moving", "x", 2))
				call(a, "drop")
				if err := c.Post("moving", "x", 0); !errors.Is(err, kernel.ErrNoSession) {
					k.t.Errorf("post to an alias that nobody has: %v", err)
				}
				call(b, "take")
				return c.Post("moving", "x", 3)
			},
		})
		k.run()
		k.wantSet("a gets 1", "a gets 2", "b gets 3")
	})
}

// K48 differs: an alias cannot look like an ID, so that neither hides the other.
func TestK48_AliasesDoNotShadowIDs(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		first := k.service(table{"x": k.noting("first")})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				for _, name := range []string{string(first), string(c.Self()), "#77", "#"} {
					if err := c.AliasSet(name); !errors.Is(err, kernel.ErrArgument) {
						t.Errorf("AliasSet(%q): %v", name, err)
					}
				}
				must(c.AliasSet(strings.TrimPrefix(string(first), "#")))
				must(c.Post(first, "x"))
				return c.Post(kernel.Address(string(first)[1:]), "x")
			},
			"x": k.noting("second"),
		})
		k.run()
		k.wantSet("first", "second")
	})
}

// K49 differs in how it says so: whatever is sent to a session that has stopped,
// by ID or alias, from a handler that has just sent it something or from outside,
// is ErrNoSession.
func TestK49_NothingReachesAStoppedSession(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		old := k.spawn(table{"x": nop.none}, kernel.Alias("old"))
		k.service(table{
			"_start": func(c *kernel.Context) error { must(c.Monitor(old, "ended")); return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				for _, to := range []kernel.Address{old, "old"} {
					must(c.Post(to, "x"))
					_, err := c.Call(to, "x")
					must(err)
				}
				return c.Signal(old, "KILL")
			},
			"ended": func(c *kernel.Context) error {
				for _, to := range []kernel.Address{old, "old"} {
					_, call := c.Call(to, "x")
					_, outside := k.Call(k.t.Context(), to, "x")
					for what, err := range map[string]error{
						"Context.Post": c.Post(to, "x"), "Kernel.Post": k.Post(to, "x"), "Context.Call": call, "Kernel.Call": outside,
						"Context.Signal": c.Signal(to, "KILL"), "Kernel.Signal": k.Signal(to, "KILL"), "Monitor": c.Monitor(to, "ended"),
					} {
						if !errors.Is(err, kernel.ErrNoSession) || !strings.Contains(err.Error(), string(to)) {
							k.t.Errorf("%s to %v: %v", what, to, err)
						}
					}
				}
				k.note("looked")
				return nil
			},
		})
		k.run()
		k.wantNotes("looked")
	})
}

// K55: when a handler has returned, the kernel refers to none of the event's
// arguments any more, however the event came.
func TestK55_ArgumentsAreReleased(t *testing.T) {
	type big struct{ _ [1 << 10]byte }
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		ways := []func(c *kernel.Context, v *big){
			func(c *kernel.Context, v *big) { must(c.Yield("x", v)) },
			func(c *kernel.Context, v *big) { must(c.Yield("x", 1, 2, 3, v)) },
			func(c *kernel.Context, v *big) { must(k.Post(c.Self(), "x", v)) },
			func(c *kernel.Context, v *big) { c.DelayAdd("x", 0, v) },
			func(c *kernel.Context, v *big) { _, err := c.Call(c.Self(), "x", v); must(err) },
			func(c *kernel.Context, v *big) { p := c.Postback("x", v); must(p.Call(v)); p.Release() },
			func(c *kernel.Context, v *big) { c.Sig("NEWS", "x", v); must(c.Signal(c.Self(), "NEWS", v)) },
		}
		var refs []weak.Pointer[big]
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				for _, send := range ways {
					v := new(big)
					refs = append(refs, weak.Make(v))
					send(c, v)
				}
				return nil
			},
			"x": func(c *kernel.Context) error {
				if k.note("x"); len(k.journal()) == len(ways) {
					c.Sig("NEWS", "")
					return c.Yield("look")
				}
				return nil
			},
			"look": func(*kernel.Context) error {
				for i, ref := range refs {
					until(t, fmt.Sprint("argument ", i, " is collected"), func() bool { runtime.GC(); return ref.Value() == nil })
				}
				return nil
			},
		})
		k.run()
	})
}

// K56 differs: a handler finds everything in its Context.
func TestK56_WhatAHandlerKnows(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var me, from kernel.Address
		me = k.service(table{"hello": func(c *kernel.Context) error {
			k.note("%s %v %v", c.Event(), c.Args(), c.Wheel())
			expect(t, "self", c.Self(), me)
			expect(t, "sender", c.Sender(), from)
			expect(t, "kernel", c.Kernel(), k.Kernel)
			expect(t, "third argument", c.Arg(2), any(true))
			expect(t, "behind the last", c.Arg(3), nil)
			return nil
		}})
		from = k.spawn(table{"_start": func(c *kernel.Context) error { return c.Post(me, "hello", 1, "two", true) }})
		k.run()
		k.wantNotes("hello [1 two true] 0")
	})
}

// K57 differs for postbacks, which any goroutine may call: who sends what.
func TestK57_Senders(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		note := func(c *kernel.Context) error {
			from := "another"
			switch c.Sender() {
			case c.Self():
				from = "itself"
			case "":
				from = "kernel"
			}
			k.note("%s from %s", c.Event(), from)
			return nil
		}
		noting := func(events ...string) table {
			t := table{}
			for _, e := range events {
				t[e] = note
			}
			return t
		}
		heir := noting("_parent", "_stop")
		heir["_start"] = func(c *kernel.Context) error {
			expect(t, "who spawns", c.Sender(), "#1")
			must(c.Post(c.Sender(), "posted"))
			_, err := c.Call(c.Sender(), "called")
			return err
		}
		s := noting("posted", "called", "yielded", "called by itself", "timer", "signal", "process", "_child", "wheel", "postback", "goroutine")
		s["_start"] = func(c *kernel.Context) error { return c.Yield("go") }
		s["go"] = func(c *kernel.Context) error {
			a, err := c.Spawn(heir)
			must(err)
			must(c.DetachChild(a))
			must(c.Yield("yielded"))
			_, err = c.Call(c.Self(), "called by itself")
			must(err)
			c.Delay("timer", time.Microsecond)
			c.Sig("NEWS", "signal")
			must(c.Signal(c.Self(), "NEWS"))
			c.SigChild(noProcess, "process")
			var src *kernel.Source
			src = c.NewSource("test", func(c *kernel.Context) { src.Deliver(c, "wheel") }, nil)
			src.Wake()
			p := c.Postback("postback")
			must(p.Call())
			p.Release()
			return k.Post(c.Self(), "goroutine")
		}
		k.spawn(s)
		k.run()
		k.wantSet(
			"posted from another", "called from another",
			"yielded from itself", "called by itself from itself", "timer from itself", "wheel from itself",
			"_child from kernel", "_child from kernel", "_parent from kernel", "_stop from kernel",
			"signal from kernel", "process from kernel", "postback from kernel", "goroutine from kernel")
	})
}

// K62: an event of one's own that has a name of the kernel's just runs that
// handler. It stops nobody, and nobody has to handle it.
func TestK62_ReservedNamesAreNamesLikeOthers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				if c.Arg(0) == nil {
					return c.Yield("go")
				}
				k.note("_start %v", c.Arg(0))
				return nil
			},
			"go": func(c *kernel.Context) error {
				must(c.Yield("_stop", 1))
				must(c.Yield("_start", 2))
				must(c.Yield("_child", 3))
				must(c.Yield("_parent", 4)) // has no handler
				_, err := c.Call(c.Self(), "_stop", 5)
				must(err)
				return c.Yield("alive")
			},
			"_stop":  func(c *kernel.Context) error { k.note("_stop %v", c.Arg(0)); return nil },
			"_child": func(c *kernel.Context) error { k.note("_child %v", c.Arg(0)); return nil },
			"alive":  k.noting("alive"),
		})
		k.run()
		k.wantNotes("_stop 5", "_stop 1", "_start 2", "_child 3", "alive", "_stop <nil>")
		expect(t, "unhandled", k.unhandled.Load(), 0)
	})
}

// K63 differs: what is queued, and when the next timer is due, is told for each
// session.
func TestK63_WhatIsQueued(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.service(table{"x": nop.none})
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.Post(other, "x"))
				must(c.Yield("x"))
				must(c.Yield("x"))
				c.Delay("later", time.Hour)
				return nil
			},
			"x": func(c *kernel.Context) error { c.AlarmClear("later"); return nil },
		})
		want := []string{"2 events queued for it, 1 it sent queued for others", `timer "later" in `}
		if m == kernel.Parallel { // there the numbers are the business of many
			want[0] = "events queued for it"
		}
		for _, w := range want {
			if got := k.Explain(a); !strings.Contains(got, w) {
				t.Errorf("%q is missing in:\n%s", w, got)
			}
		}
		k.run()
	})
}
