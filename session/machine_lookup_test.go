package session_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// Before the first state only the machine as a whole answers.
func TestN3_BeforeTheFirstState(t *testing.T) {
	everyWay(t, func(l *lab) {
		l.m = session.NewMachine("a",
			session.In("a", session.Handle("x", l.see)),
			session.Handle("everywhere", l.see),
			do("_start", func(c *kernel.Context) {
				_, err := c.Call(c.Self(), "everywhere", 1)
				must(err)
				_, err = c.Call(c.Self(), "x")
				wantErr(t, err, kernel.ErrNoHandler, `event "x" in state ""`)
			}),
		)
		l.wantState("")
		spawn(t, l.Kernel, l.m)
		l.run()
		l.want(": everywhere[1]")
	})
}

// The order: the state's table, what Context.State added, the machine-wide table,
// unless State removed it there, the state's _default, the other two's. It is looked up when the event's turn
// comes.
func TestN17_K61_Lookup(t *testing.T) {
	say := func(l *lab, what string) kernel.Handler {
		return func(c *kernel.Context) error { l.note("%s %s%v", what, c.Event(), c.Args()); return nil }
	}
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a",
				do("_enter", func(c *kernel.Context) {
					for _, e := range []string{"1", "2", "3", "4"} {
						must(c.Yield(e, "arg"))
					}
					c.State("1", say(l, "added"))
					c.State("2", say(l, "added"))
					c.State("_default", say(l, "added"))
					must(l.m.Goto(c, "b", ""))
					must(c.Yield("4"))
					must(c.Yield("remove"))
					must(c.Yield("2"))
					must(c.Yield("4"))
				}),
				session.Handle("1", say(l, "state")),
				session.Handle("_default", say(l, "state")),
			),
			session.In("b"),
			do("remove", func(c *kernel.Context) { c.State("2", nil) }),
			session.Handle("1", say(l, "machine")),
			session.Handle("2", say(l, "machine")),
			session.Handle("3", say(l, "machine")),
			session.Handle("_default", say(l, "machine")),
		))
		l.run()
		l.want("state 1[arg]", "added 2[arg]", "machine 3[arg]", "state _default[4 [arg]]",
			"added _default[4 []]", "added _default[2 []]", "added _default[4 []]")
	})
}

// What nobody handles is a failure, or the caller's error, with the state's name.
func TestN18_Unhandled(t *testing.T) {
	everyWay(t, func(l *lab) {
		a := spawn(t, l.Kernel, l.machine("a", session.In("a", session.Handle("x", l.see)), session.In("b")))
		_, err := l.Call(context.Background(), a, "y")
		wantErr(t, err, kernel.ErrNoHandler, `no handler for event "y" in state "a"; add it to that state`)
		l.want() // the caller was told: that is enough
		must(l.Post(a, "z"))
		l.run()
		l.wantFailed(kernel.ErrNoHandler, `event "z" in state "a"`)
	})
}

// The kernel's own events need no handler; _default gets _child and _parent, and
// never _stop.
func TestN16_N18_KernelsOwnEvents(t *testing.T) {
	everyWay(t, func(l *lab) {
		breed := do("_enter", func(c *kernel.Context) {
			_, err := c.Spawn(session.New())
			must(err)
		})
		spawn(t, l.Kernel, l.machine("a", session.In("a", breed)))
		spawn(t, l.Kernel, session.NewMachine("a", session.In("a", breed, do("_default", func(c *kernel.Context) {
			l.note("%v %v", c.Arg(0), c.Arg(1).([]any)[0])
		}))))
		l.run()
		l.want("_child create", "_child lose")
	})
}

// A machine that nothing holds ends like any session; its parent hears of it. Its
// _stop handler, in the table of the state that it ends in, runs.
func TestN16_NaturalEnd(t *testing.T) {
	everyWay(t, func(l *lab) {
		l.m = session.NewMachine("a",
			do("_start", func(c *kernel.Context) { c.Return("started") }),
			session.In("a", do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "")); c.Return("unseen") }),
				session.Handle("_stop", l.see)),
			session.In("b", do("_stop", func(c *kernel.Context) { must(l.see(c)); c.Return("stopped") })),
		)
		spawn(t, l.Kernel, session.New(
			do("_start", func(c *kernel.Context) {
				_, err := c.Spawn(l.m)
				must(err)
			}),
			do("_child", func(c *kernel.Context) { l.note("%v %v", c.Arg(0), c.Arg(2)) }),
		))
		l.run()
		l.want("create started", "b: _stop[]", "lose stopped")
	})
}

// A wheel's events come in every state, to the handler that the state has.
func TestN19_WheelEvents(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("input", l.see), do("_enter", func(c *kernel.Context) {
				n := 0
				var src *kernel.Source
				src = c.NewSource("wheel", func(c *kernel.Context) {
					n++
					src.Deliver(c, "input", n)
					src.Deliver(c, "everywhere", n)
					if n == 1 {
						must(l.m.Goto(c, "b", "next", src))
					}
				}, func() {})
				src.Watch(true)
				src.Wake()
			})),
			session.In("b",
				session.Handle("input", l.see),
				do("next", func(c *kernel.Context) { c.Arg(0).(*kernel.Source).Wake(); must(c.Yield("end", c.Arg(0))) }),
				do("end", func(c *kernel.Context) { c.Arg(0).(*kernel.Source).Watch(false) }),
			),
			session.Handle("everywhere", l.see),
		))
		l.run()
		l.want("a: input[1]", "a: everywhere[1]", "b: input[2]", "b: everywhere[2]")
	})
}

// Any goroutine may ask for the state, at any time.
func TestN21_CurrentFromOutside(t *testing.T) {
	everyWay(t, func(l *lab) {
		end, looked := make(chan struct{}), make(chan struct{})
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				if c.Arg(0) != 20 {
					must(l.m.Goto(c, "b", "", c.Arg(0)))
				}
			})),
			session.In("b", do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "a", "", c.Arg(0).(int)+1)) })),
		), kernel.Args(0))
		go func() {
			defer close(looked)
			for {
				if s := l.m.Current(); s != "a" && s != "b" {
					t.Errorf("in state %q", s)
				}
				select {
				case <-end:
					return
				default:
				}
			}
		}()
		l.run()
		close(end)
		<-looked
		l.wantState("a")
	})
}

// A postback holds the machine, and goes to the state that is there when it
// arrives.
func TestN22_Postback(t *testing.T) {
	everyWay(t, func(l *lab) {
		var p *kernel.Postback
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				p = c.Postback("answer", 1)
				must(l.m.Goto(c, "b", ""))
			})),
			session.In("b", do("answer", func(c *kernel.Context) { must(l.see(c)); p.Release() })),
		))
		spawn(t, l.Kernel, session.New(
			do("_start", func(c *kernel.Context) { c.Delay("call", 1) }),
			do("call", func(*kernel.Context) { must(p.Call(2)) }),
		))
		l.run()
		l.want("b: answer[[1] [2]]")
	})
}

// Timers, signals and aliases are the session's; their events find the handler of
// the state that is there when they come.
func TestN24_TimersSignalsAliases(t *testing.T) {
	everyWay(t, func(l *lab) {
		wrong := func(c *kernel.Context) error { t.Errorf("%s in state a", c.Event()); return nil }
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("timer", wrong), session.Handle("signal", wrong), session.Handle("x", wrong),
				do("_enter", func(c *kernel.Context) {
					must(c.AliasSet("machine"))
					c.Delay("timer", 1)
					c.Sig("PING", "signal")
					must(l.m.Goto(c, "b", ""))
				})),
			session.In("b",
				do("timer", func(c *kernel.Context) { must(l.see(c)); must(c.Signal(c.Self(), "PING")) }),
				do("signal", func(c *kernel.Context) { must(l.see(c)); must(c.Post("machine", "x")) }),
				do("x", func(c *kernel.Context) { must(l.see(c)); must(c.AliasRemove("machine")) }),
			),
		))
		l.run()
		l.want("b: timer[]", "b: signal[PING]", "b: x[]")
	})
}

// So does the event of a watched handle, which simulated kernels do not have.
func TestN24_Selects(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no watched handles there")
	}
	for _, mode := range []kernel.Mode{kernel.Serial, kernel.Parallel} {
		r, w, err := os.Pipe()
		must(err)
		l := &lab{Kernel: kerneltest.New(t, kerneltest.Mode(mode)), t: t}
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(c.SelectRead(r, "readable"))
				must(l.m.Goto(c, "b", ""))
			})),
			session.In("b",
				do("_enter", func(*kernel.Context) { must(w.Close()) }),
				do("readable", func(c *kernel.Context) {
					l.note("%s: %s", l.m.Current(), c.Event())
					must(c.SelectRead(r, ""))
				}),
			),
		))
		l.run()
		l.want("b: readable")
		must(r.Close())
	}
}

// What others call as the machine's own events is theirs.
func TestN25_ForeignEventsOfOurNames(t *testing.T) {
	everyWay(t, func(l *lab) {
		a := spawn(t, l.Kernel, l.machine("a", session.In("a", session.Handle("_default", l.see)), session.In("b")))
		b := spawn(t, l.Kernel, session.NewMachine("a", session.In("a")))
		for _, e := range []string{"_goto", "_push", "_return", "_halt"} {
			_, err := l.Call(context.Background(), a, e, "b", 1)
			must(err)
			_, err = l.Call(context.Background(), b, e, "b", 1)
			wantErr(t, err, kernel.ErrNoHandler, "")
		}
		l.run()
		l.wantState("a")
		l.want("a: _default[_goto [b 1]]", "a: _default[_push [b 1]]", "a: _default[_return [b 1]]", "a: _default[_halt [b 1]]")
	})
}
