package session_test

import (
	"context"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Pushes nest; each Return goes back one, to the event that the push named, or to
// none.
func TestN11_N12_PushesNest(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a",
				do("_enter", func(c *kernel.Context) {
					if len(c.Args()) == 0 {
						must(l.m.Push(c, "back", "b", "entry", 1))
						l.wantState("a")
					}
				}),
				session.Handle("_leave", l.see), session.Handle("back", l.see),
			),
			session.In("b",
				do("entry", func(c *kernel.Context) { must(l.see(c)); must(l.m.Push(c, "", "c", "deeper", 2)) }),
				session.Handle("_enter", l.see),
				session.Handle("_default", l.see),
			),
			session.In("c",
				do("deeper", func(c *kernel.Context) {
					must(l.see(c))
					must(l.m.Return(c, 3))
					must(l.m.Return(c, 4, 5))
					l.wantState("c")
				}),
			),
		))
		l.run()
		l.want("a: _leave[]", "b: _enter[1]", "b: entry[1]", "c: deeper[2]", "b: _enter[3]", "a: back[4 5]")
	})
}

// A hundred pushes into the same state are a hundred returns.
func TestN11_AnyDepth(t *testing.T) {
	everyWay(t, func(l *lab) {
		depth := 0
		spawn(t, l.Kernel, l.machine("a", session.In("a", do("_enter", func(c *kernel.Context) {
			if c.Arg(0) == "up" {
				depth--
				if depth > 0 {
					must(l.m.Return(c, "up"))
				}
				return
			}
			if depth == 100 {
				must(l.m.Return(c, "up"))
				return
			}
			depth++
			must(l.m.Push(c, "", "a", ""))
		}))))
		l.run()
		if depth != 0 {
			t.Errorf("%d pushes are left", depth)
		}
		l.want()
	})
}

// The event to come back to is looked for in the state that is really left, when
// the push has its turn.
func TestN11_BackIsCheckedInTheStateThatIsLeft(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(l.m.Goto(c, "b", ""))
				must(l.m.Push(c, "back", "c", ""))
				must(l.m.Goto(c, "d", ""))
				must(l.m.Push(c, "back", "c", ""))
				must(c.Yield("check"))
			}), session.Handle("back", l.see)),
			session.In("b", session.Handle("back", l.see)),
			session.In("c", session.Handle("_enter", l.see)),
			session.In("d", session.Handle("_leave", l.see), do("check", func(c *kernel.Context) {
				must(l.m.ReturnNow(c, 1)) // of the first push: the second one left nothing behind
				wantErr(t, l.m.ReturnNow(c), session.ErrNoReturn, "")
			})),
		))
		l.run()
		l.wantFailed(kernel.ErrNoHandler, `handling "_push" from #1: no handler for event "back", by which state "d" is to be entered`)
		l.want("c: _enter[]", "d: _leave[]", "b: back[1]")
	})
}

// Nothing to return to is an error, when the Return has its turn.
func TestN13_ReturnFromNowhere(t *testing.T) {
	everyWay(t, func(l *lab) {
		l.m = session.NewMachine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(l.m.Return(c))
				wantErr(t, l.m.ReturnNow(c), session.ErrNoReturn, `no state to return to from state "a"; Push first`)
			})),
			do("_start", func(c *kernel.Context) {
				must(l.survive(c))
				wantErr(t, l.m.ReturnNow(c), session.ErrNoReturn, "")
				wantErr(t, l.m.PushNow(c, "", "a", ""), session.ErrNoReturn, "")
			}),
			session.Handle("_die", l.die),
		)
		spawn(t, l.Kernel, l.m)
		l.run()
		l.wantFailed(session.ErrNoReturn, `handling "_return"`)
		l.want()
	})
}

// The failure is not lost when the machine stops before anybody heard of it.
func TestN13_FailureOutlivesTheMachine(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
		k := kernel.New(kernel.Config{Mode: mode, Observer: &kernel.Observer{}})
		var m *session.Machine
		m = session.NewMachine("a", session.In("a", do("_enter", func(c *kernel.Context) {
			must(m.Return(c))
			must(m.Stop(c))
		})))
		spawn(t, k, m)
		if err := k.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "no state to return to") {
			t.Errorf("%v: Run returned %v", mode, err)
		}
	}
}

// A Goto leaves what was pushed as it is, also when a Return is queued behind it.
func TestN14_GotoKeepsThePushes(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", session.Handle("back", l.see), do("_enter", func(c *kernel.Context) {
				if len(c.Args()) == 0 {
					must(l.m.Push(c, "back", "b", ""))
				}
			})),
			session.In("b", do("_enter", func(c *kernel.Context) {
				must(l.see(c))
				must(l.m.Goto(c, "c", "", 1))
				must(l.m.Return(c, 2))
			})),
			session.In("c", session.Handle("_enter", l.see)),
		))
		l.run()
		l.want("b: _enter[]", "c: _enter[1]", "a: back[2]")
	})
}
