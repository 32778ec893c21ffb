package session_test

import (
	"context"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Spawn enters the first state before it returns; _enter gets _start's arguments.
func TestN4_FirstEntryIsPartOfSpawn(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a", session.In("a", session.Handle("_enter", l.see))), kernel.Args(1, "x"))
		l.want("a: _enter[1 x]")
		l.wantState("a")
		l.run()
	})
}

// In _start a Goto runs at once, and chooses the first state; the second one is
// queued like any other.
func TestN4_GotoInStartIsSynchronous(t *testing.T) {
	everyWay(t, func(l *lab) {
		l.m = session.NewMachine("a",
			session.In("a", session.Handle("_enter", l.see)),
			session.In("b", session.Handle("setup", l.see), session.Handle("_leave", l.see)),
			session.In("c", session.Handle("_enter", l.see)),
			session.Handle("_leave", l.see), // nothing is left before the first state
			do("_start", func(c *kernel.Context) {
				l.wantState("")
				must(l.m.Goto(c, "b", "setup", 1))
				l.want("b: setup[1]")
				must(l.m.Goto(c, "c", ""))
				l.wantState("b")
			}),
		)
		spawn(t, l.Kernel, l.m)
		l.wantState("b")
		l.run()
		l.want("b: setup[1]", "b: _leave[]", "c: _enter[]")
	})
}

// What fails on the way into the first state is Spawn's error.
func TestN4_FirstEntryFails(t *testing.T) {
	fail := func(*kernel.Context) error { return errBoom }
	everyWay(t, func(l *lab) {
		for text, m := range map[string]*session.Machine{
			"boom":                   session.NewMachine("a", session.In("a"), session.Handle("_start", fail)),
			`"_enter" in state "a":`: session.NewMachine("a", session.In("a", session.Handle("_enter", fail))),
		} {
			_, err := l.Spawn(m)
			wantErr(t, err, errBoom, text)
		}
		if left := l.Sessions(); len(left) > 0 {
			t.Errorf("sessions %v are left", left)
		}
	})
}

// What the machine posted before a Goto is handled in the old state, what it posts
// after it in the new one.
func TestN5_GotoIsQueued(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("x", l.see), do("_enter", func(c *kernel.Context) {
				must(c.Yield("x", 1))
				must(l.m.Goto(c, "b", "", 2))
				must(c.Yield("x", 3))
				l.wantState("a")
			})),
			session.In("b", session.Handle("_enter", l.see), session.Handle("x", l.see)),
		))
		l.run()
		l.want("a: x[1]", "b: _enter[2]", "b: x[3]")
	})
}

// In serial mode that goes for everybody's events, as in POE.
func TestN5_SerialOrderOfAllSenders(t *testing.T) {
	everyWay(t, func(l *lab) {
		a := spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("x", l.see), do("go", func(c *kernel.Context) { must(l.m.Goto(c, "b", "")) })),
			session.In("b", session.Handle("x", l.see)),
		))
		must(l.Post(a, "go"))
		must(l.Post(a, "x"))
		l.run()
		if l.mode == kernel.Serial {
			l.want("a: x[]")
		}
		if len(l.notes) != 1 {
			t.Errorf("seen %v, want x once", l.notes)
		}
	})
}

// Whoever makes the machine go, a Goto of a called handler waits, too.
func TestN5_K64_GotoInACalledHandler(t *testing.T) {
	everyWay(t, func(l *lab) {
		a := spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("x", l.see), do("go", func(c *kernel.Context) {
				must(l.m.Goto(c, "b", ""))
				c.Return("value")
			})),
			session.In("b", session.Handle("x", l.see)),
		))
		v, err := l.Call(context.Background(), a, "go")
		if v != "value" || err != nil {
			t.Errorf("Call: %v, %v", v, err)
		}
		l.wantState("a")
		_, err = l.Call(context.Background(), a, "x")
		must(err)
		l.run()
		l.wantState("b")
		l.want("a: x[]")
	})
}

// Two transitions are made one after the other, the second from where the first
// one led.
func TestN5_TwoGotosQueued(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(l.m.Goto(c, "b", ""))
				must(l.m.Goto(c, "c", ""))
			}), session.Handle("_leave", l.see)),
			session.In("b", session.Handle("_enter", l.see), session.Handle("_leave", l.see)),
			session.In("c", session.Handle("_enter", l.see)),
		))
		l.run()
		l.want("a: _leave[]", "b: _enter[]", "b: _leave[]", "c: _enter[]")
	})
}

// A transition asked for on the way in waits until the entry is over.
func TestN5_GotoInEnter(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "entry")) })),
			session.In("b",
				do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "c", "")) }),
				session.Handle("entry", l.see),
			),
			session.In("c", session.Handle("_enter", l.see)),
		))
		l.run()
		l.want("b: entry[]", "c: _enter[]")
	})
}

// A transition: leave, in the old state and without arguments; enter, then the
// event, in the new one; all of them from the machine itself, with nothing between.
func TestN7_N8_N20_OrderOfATransition(t *testing.T) {
	everyWay(t, func(l *lab) {
		see := func(c *kernel.Context) error {
			if c.Sender() != c.Self() {
				t.Errorf("%s is from %v, want %v", c.Event(), c.Sender(), c.Self())
			}
			must(c.Yield("later", c.Event())) // comes after all of it
			return l.see(c)
		}
		spawn(t, l.Kernel, l.machine("a",
			session.In("a",
				do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "entry", 1, 2, 3)) }),
				session.Handle("_leave", see),
			),
			session.In("b", session.Handle("_enter", see), session.Handle("entry", see)),
			session.Handle("later", l.see),
		))
		l.run()
		l.want("a: _leave[]", "b: _enter[1 2 3]", "b: entry[1 2 3]", "b: later[_leave]", "b: later[_enter]", "b: later[entry]")
	})
}

// A Goto that cannot work is an error at once; nothing happens then.
func TestN7_UnknownStateOrEntryEvent(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("_leave", l.see), do("_enter", func(c *kernel.Context) {
				for _, try := range []func(*kernel.Context, session.StateName, string, ...any) error{l.m.Goto, l.m.GotoNow,
					func(c *kernel.Context, s session.StateName, e string, a ...any) error {
						return l.m.Push(c, "", s, e, a...)
					}, func(c *kernel.Context, s session.StateName, e string, a ...any) error {
						return l.m.PushNow(c, "", s, e, a...)
					}} {
					wantErr(t, try(c, "nowhere", ""), session.ErrNoState, `no such state: "nowhere"; add session.In("nowhere", …)`)
					wantErr(t, try(c, "b", "entry"), kernel.ErrNoHandler, `event "entry", by which state "b"`)
				}
			})),
			session.In("b", session.Handle("_default", l.see)),
			session.In("c"),
		))
		l.run()
		l.wantState("a")
		l.want()
	})
}

// A _leave that fails keeps the machine where it is.
func TestN7_LeaveFails(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a",
				do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "")); must(c.Yield("x")) }),
				session.Handle("_leave", func(*kernel.Context) error { return errBoom }),
				session.Handle("x", l.see),
			),
			session.In("b", session.Handle("_enter", l.see)),
		))
		l.run()
		l.wantFailed(errBoom, `handling "_goto" from #1: "_leave" in state "a": boom`)
		l.want("a: x[]")
	})
}

// A handler that fails on the way in fails in the new state.
func TestN7_EntryFails(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "entry")) })),
			session.In("b",
				session.Handle("_enter", l.see),
				session.Handle("entry", func(*kernel.Context) error { return errBoom }),
			),
		))
		l.run()
		l.wantFailed(errBoom, `"entry" in state "b": boom`)
		l.want("b: _enter[]")
		l.wantState("b")
	})
}

// From a state to itself is a transition like others.
func TestN9_GotoToItself(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a",
				do("_enter", func(c *kernel.Context) {
					must(l.see(c))
					if len(c.Args()) == 0 {
						must(l.m.Goto(c, "a", "again", 1))
					}
				}),
				session.Handle("_leave", l.see), session.Handle("again", l.see),
			),
		))
		l.run()
		l.want("a: _enter[]", "a: _leave[]", "a: _enter[1]", "a: again[1]")
	})
}

// Without an event, and into a state without _enter, nothing is delivered; _enter
// as the event runs once.
func TestN10_GotoWithoutEvent(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(l.m.Goto(c, "b", "", 1))
				must(l.m.Goto(c, "c", "_enter", 2))
			})),
			session.In("b", session.Handle("_default", l.see), session.Handle("_leave", l.see)),
			session.In("c", session.Handle("_enter", l.see)),
		))
		l.run()
		l.want("b: _leave[]", "c: _enter[2]")
	})
}

// Only the machine's own session moves it.
func TestGoto_ByAnotherSession(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a", session.In("a")))
		spawn(t, l.Kernel, session.New(do("_start", func(c *kernel.Context) {
			for _, err := range []error{
				l.m.Goto(c, "a", ""), l.m.GotoNow(c, "a", ""), l.m.Push(c, "", "a", ""), l.m.PushNow(c, "", "a", ""),
				l.m.Return(c), l.m.ReturnNow(c), l.m.Stop(c),
			} {
				wantErr(t, err, kernel.ErrArgument, "session #2 moves a machine that is not its own")
			}
		})))
		l.run()
	})
}

// The queue's limit goes for transitions, too.
func TestGoto_QueueFull(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a", session.In("a", do("_enter", func(c *kernel.Context) {
			must(l.m.Goto(c, "b", ""))
			wantErr(t, l.m.Goto(c, "b", ""), kernel.ErrQueueFull, `"_goto"`)
		})), session.In("b")), kernel.QueueLimit(1))
		l.run()
		l.wantState("b")
	})
}

// Arguments are copied when the transition is asked for.
func TestK54_GotoCopiesItsArguments(t *testing.T) {
	everyWay(t, func(l *lab) {
		args := []any{1, 2, 3}
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(l.m.Goto(c, "b", "", args...))
				args[0] = "changed"
			})),
			session.In("b", session.Handle("_enter", l.see)),
		))
		l.run()
		l.want("b: _enter[1 2 3]")
	})
}
