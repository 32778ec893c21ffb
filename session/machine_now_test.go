package session_test

import (
	"runtime"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// The Now forms move the machine before they return; events that were queued
// before come later, in the new state.
func TestN6_Now(t *testing.T) {
	everyWay(t, func(l *lab) {
		see := session.Handle("_enter", l.see)
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(c.Yield("x"))
				must(l.m.GotoNow(c, "b", "entry", 1))
				l.wantState("b")
				must(l.m.PushNow(c, "back", "c", "", 2))
				l.wantState("c")
				must(l.m.ReturnNow(c, 3))
				l.wantState("b")
			}), session.Handle("_leave", l.see)),
			session.In("b", see, session.Handle("entry", l.see), session.Handle("back", l.see), session.Handle("x", l.see)),
			session.In("c", see),
		))
		l.run()
		l.want("a: _leave[]", "b: _enter[1]", "b: entry[1]", "c: _enter[2]", "b: _enter[3]", "b: back[3]", "b: x[]")
	})
}

// What a handler on the way returns is the error of GotoNow.
func TestN6_ErrorsAreTheCallers(t *testing.T) {
	everyWay(t, func(l *lab) {
		fail := func(*kernel.Context) error { return errBoom }
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				wantErr(t, l.m.GotoNow(c, "b", "entry"), errBoom, `"entry" in state "b"`)
				l.wantState("b")
				wantErr(t, l.m.GotoNow(c, "a", ""), errBoom, `"_leave" in state "b"`)
				l.wantState("b")
			})),
			session.In("b", session.Handle("entry", fail), session.Handle("_leave", fail)),
		))
		l.run()
		l.want()
	})
}

// In _leave the machine is between two states: only a queued transition is
// possible, and it comes after the one under way.
func TestN6_NowInLeave(t *testing.T) {
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a",
				do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "")) }),
				do("_leave", func(c *kernel.Context) {
					for _, err := range []error{l.m.GotoNow(c, "c", ""), l.m.PushNow(c, "", "c", ""), l.m.ReturnNow(c)} {
						wantErr(t, err, session.ErrTransition, `in the _leave of state "a"`)
					}
					must(l.m.Goto(c, "c", ""))
				})),
			session.In("b", session.Handle("_enter", l.see), do("_leave", func(c *kernel.Context) { l.note("left") })),
			session.In("c", session.Handle("_enter", l.see)),
		))
		l.run()
		l.want("b: _enter[]", "left", "c: _enter[]")
	})
}

// An _enter may go on at once, but not past an event that is to come.
func TestN6_NowInEnter(t *testing.T) {
	everyWay(t, func(l *lab) {
		on := do("_enter", func(c *kernel.Context) { must(l.m.GotoNow(c, "c", "")) })
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				if len(c.Args()) > 0 {
					return
				}
				must(l.m.GotoNow(c, "b", ""))
				l.wantState("c")
				must(l.m.GotoNow(c, "a", "", "again"))
				wantErr(t, l.m.GotoNow(c, "b", "entry"), session.ErrTransition, `the _enter of state "b" went on to "c", before the event "entry"`)
				l.wantState("c")
			})),
			session.In("b", on, session.Handle("entry", l.see)),
			session.In("c"),
		))
		l.run()
		l.want()
	})
}

// A panic on the way is a failure of the handler that panicked, and does not
// leave the machine between two states.
func TestN6_Panics(t *testing.T) {
	everyWay(t, func(l *lab) {
		panics := func(*kernel.Context) error { panic(errBoom) }
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) { must(c.Yield("go")) }),
				session.Handle("_leave", panics),
				do("go", func(c *kernel.Context) {
					wantErr(t, l.m.GotoNow(c, "b", ""), errBoom, `session #1 panicked handling "_leave"`)
					l.wantState("a")
					must(c.Yield("again"))
				}),
				do("again", func(c *kernel.Context) {
					wantErr(t, l.m.GotoNow(c, "b", ""), errBoom, "panicked") // and not "in the _leave of"
				}),
			),
			session.In("b"),
		))
		l.run()
		if len(l.failed) != 2 {
			t.Errorf("DIE was raised %d times, want once for each panic: %v", len(l.failed), l.failed)
		}
		l.failed = nil
		l.want()
	})
}

// runtime.Goexit in a _leave does not leave the machine between two states either.
func TestN6_Goexit(t *testing.T) {
	l := &lab{Kernel: kerneltest.New(t, kerneltest.Mode(kernel.Parallel)), t: t}
	first := true
	spawn(t, l.Kernel, l.machine("a",
		session.In("a",
			do("_enter", func(c *kernel.Context) { must(l.m.Goto(c, "b", "")); must(l.m.Goto(c, "b", "")) }),
			do("_leave", func(*kernel.Context) {
				if first {
					first = false
					runtime.Goexit()
				}
			}),
		),
		session.In("b", session.Handle("_enter", l.see)),
	))
	l.run()
	if len(l.failed) == 0 {
		t.Error("Goexit was no failure")
	}
	l.failed = nil
	l.want("b: _enter[]")
}
