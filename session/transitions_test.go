package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// What Transitions lists is allowed, so are the first state and the way back; all
// else is an error, and then nothing has happened.
func TestTransitions_Limit(t *testing.T) {
	everyWay(t, func(l *lab) {
		l.m = session.NewMachine("a",
			session.In("a", session.Handle("_enter", l.see)),
			session.In("b",
				session.Handle("first", func(c *kernel.Context) error { return l.m.Goto(c, "c", "") }),
				do("_leave", func(c *kernel.Context) { l.note("b left") }),
				do("back", func(c *kernel.Context) {
					wantErr(t, l.m.GotoNow(c, "a", ""), session.ErrTransition, `from state "b" to "a"; add it to session.Transitions`)
					wantErr(t, l.m.GotoNow(c, "b", ""), session.ErrTransition, "")
					wantErr(t, l.m.PushNow(c, "", "b", ""), session.ErrTransition, "")
					l.wantState("b")
					must(l.m.Goto(c, "a", "")) // whether it may, its turn tells
				}),
			),
			session.In("c", do("_enter", func(c *kernel.Context) {
				if c.Arg(0) == "again" {
					must(l.m.Return(c))
					return
				}
				must(l.m.GotoNow(c, "b", ""))
				must(l.m.PushNow(c, "back", "c", "", "again"))
			})),
			session.Transitions{"b": {"a2", "c"}, "c": {"b"}},
			session.In("a2"),
			session.Handle("_start", func(c *kernel.Context) error { must(l.survive(c)); return l.m.Goto(c, "b", "first") }),
			session.Handle("_die", l.die),
		)
		spawn(t, l.Kernel, l.m)
		l.run()
		l.wantFailed(session.ErrTransition, `handling "_goto"`)
		l.wantState("b")
		l.want("b left", "b left")
	})
}

// A state that several machines are made of has each machine's own transitions.
func TestTransitions_SharedState(t *testing.T) {
	a := session.In("a")
	first := session.NewMachine("a", a, session.Transitions{"a": {"a"}})
	session.NewMachine("a", a, session.Transitions{"a": {"a"}})
	if n := strings.Count(first.Mermaid(), "s0 --> s0"); n != 1 {
		t.Errorf("%d arrows from a to a, want 1", n)
	}
}

func ExampleMachine_Mermaid() {
	m := session.NewMachine("closed",
		session.In("closed"),
		session.In("open"),
		session.In(`"stuck" #2`),
		session.Transitions{"closed": {"open"}, "open": {"closed", `"stuck" #2`}},
	)
	fmt.Print(m.Mermaid())
	// Output:
	// stateDiagram-v2
	// 	state "closed" as s0
	// 	state "open" as s1
	// 	state "#34;stuck#34; #35;2" as s2
	// 	[*] --> s0
	// 	s0 --> s1
	// 	s1 --> s0
	// 	s1 --> s2
}
