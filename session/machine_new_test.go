package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Parts that can only be a mistake panic, and the text says where and what to do.
func TestN1_N25_NewMachinePanicsOnMistakes(t *testing.T) {
	h := func(event string) session.State { return session.Handle(event, nop) }
	machine := func(p ...session.Part) func() { return func() { session.NewMachine("a", p...) } }
	in := func(state session.StateName, rows ...session.State) func() {
		return func() { session.In(state, rows...) }
	}
	a := session.In("a")
	for want, build := range map[string]func(){
		`session.NewMachine: the start state "a" is not defined; add session.In("a", …)`:         machine(session.In("b"), h("x")),
		`session.NewMachine: state "a" is defined twice; put its rows into one session.In`:       machine(a, session.In("a")),
		`session.NewMachine: part 1 is nil`:                                                      machine(a, nil),
		`session.NewMachine: the handler for "x" is nil`:                                         machine(a, session.Handle("x", nil)),
		`session.NewMachine: "x" has two handlers; which one is meant?`:                          machine(a, h("x"), h("x")),
		`session.NewMachine: "_start" has two handlers; which one is meant?`:                     machine(a, h("_start"), h("_start")),
		`session.NewMachine: row 0 has no event name`:                                            machine(h(""), a),
		`session.NewMachine: the event "_goto" is the machine's own; name yours differently`:     machine(a, h("_goto")),
		`session.In("a"): the event "_push" is the machine's own; name yours differently`:        in("a", h("_push")),
		`session.In("a"): the event "_return" is the machine's own; name yours differently`:      in("a", h("_return")),
		`session.In("a"): the event "_halt" is the machine's own; name yours differently`:        in("a", h("_halt")),
		`session.In: the state has no name`:                                                      in(""),
		`session.In("a"): the handler for "x" is nil`:                                            in("a", session.Handle("x", nil)),
		`session.In("a"): "x" has two handlers; which one is meant?`:                             in("a", h("x"), h("x")),
		`session.In("a"): row 1 has no event name`:                                               in("a", h("x"), h("")),
		`session.In("a"): "_start" comes before any state; give it to the whole machine, or use`: in("a", h("_start")),
		`session.NewMachine: Transitions has a state "b", which is not defined; add session.In("b"`: machine(a,
			session.Transitions{"a": {"b"}}),
		`session.NewMachine: Transitions has a state "c", which is not defined; add session.In("c"`: machine(a,
			session.Transitions{"c": nil}),
		`session.NewMachine: Transitions is given twice; put all of them into one`: machine(a,
			session.Transitions{}, session.Transitions{}),
		`session.NewMachine: Transitions is nil; leave it out to allow all`: machine(a, session.Transitions(nil)),
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			build()
		}()
	}
}

// A state's table is made of the rows that a session's is: functions, methods of
// any values, typed events. One Part may go into several machines.
func TestN2_N21_Tables(t *testing.T) {
	everyWay(t, func(l *lab) {
		first, second := &tally{}, &tally{}
		shared := session.In("b", session.On(count, first.add), session.Handle("both", second.one))
		for range 2 {
			l.machine("a",
				session.In("a",
					session.On(count, second.add),
					session.Handle("go", func(c *kernel.Context) error { return l.m.GotoNow(c, "b", count.Name(), 10) }),
				),
				shared,
				session.Transitions{"a": {"b"}, "b": {}},
			)
			a := spawn(t, l.Kernel, l.m)
			for _, event := range []string{"go", "both"} {
				_, err := l.Call(t.Context(), a, count.Name(), 1)
				must(err)
				_, err = l.Call(t.Context(), a, event)
				must(err)
			}
		}
		l.run()
		l.want()
		if first.n != 22 || second.n != 202 {
			t.Errorf("counted %d and %d, want 22 and 202", first.n, second.n)
		}
	})
}

// tally is POE's run state: the value whose methods are handlers.
type tally struct{ n int }

func (k *tally) add(_ *kernel.Context, n int) error { k.n += n; return nil }
func (k *tally) one(*kernel.Context) error          { k.n += 100; return nil }
