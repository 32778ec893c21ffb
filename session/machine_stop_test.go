package session_test

import (
	"fmt"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// Stop is queued: what stands before it is handled, what stands behind it is
// reported as dropped, a transition among it. Nothing holds the machine then; its
// children go to its parent.
func TestN15_Stop(t *testing.T) {
	var dropped []string
	observer := &kernel.Observer{Dropped: func(r kernel.Record, why kernel.Reason) {
		if why == kernel.ReasonStopped {
			dropped = append(dropped, r.Event)
		}
	}}
	everyWay(t, func(l *lab) {
		dropped = nil
		other := spawn(t, l.Kernel, session.New(do("sent", func(*kernel.Context) { l.note("sent") })), kernel.Alias("other"))
		kid := session.New(
			do("_parent", func(c *kernel.Context) { l.note("_parent %v", c.Arg(1)); must(c.AliasRemove("kid")) }))
		l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				_, err := c.Spawn(kid, kernel.Alias("kid"))
				must(err)
				c.Delay("never", 1)
				must(c.Yield("x"))
				must(l.m.Stop(c))
				must(l.m.Goto(c, "b", ""))
				must(c.Yield("x"))
			}), session.Handle("_leave", l.see), session.Handle("_stop", l.see),
				do("x", func(c *kernel.Context) { must(l.see(c)); must(c.Post(other, "sent")) })),
			session.In("b", session.Handle("_enter", l.see)),
		)
		spawn(t, l.Kernel, session.New(
			do("_start", func(c *kernel.Context) { _, err := c.Spawn(l.m); must(err) }),
			do("_child", func(c *kernel.Context) { l.note("_child %v", c.Arg(0)) }),
		))
		l.run()
		noted := map[string]int{}
		for _, n := range l.notes {
			noted[n]++
		}
		for _, want := range []string{"_child create", "a: x[]", "_child gain", "_parent #2", "a: _stop[]", "sent"} {
			if noted[want] != 1 {
				t.Errorf("%q %d times, want once; all: %v", want, noted[want], l.notes)
			}
		}
		if noted["_child lose"] != 2 || len(noted) != 7 { // the machine and its kid
			t.Errorf("seen %v", l.notes)
		}
		if len(dropped) != 2 || dropped[0] != "_goto" || dropped[1] != "x" {
			t.Errorf("dropped %v, want _goto and x", dropped)
		}
		l.wantState("a")
	}, kerneltest.AllowDropped(), kerneltest.Config(kernel.Config{Observer: observer}))
}

// Context.Stop ends a machine, too, after the handler; a Goto that was queued is
// reported, with where it was to lead.
func TestN15_ContextStop(t *testing.T) {
	var where string
	observer := &kernel.Observer{Dropped: func(r kernel.Record, _ kernel.Reason) { where = fmt.Sprint(r.Args[0]) }}
	everyWay(t, func(l *lab) {
		spawn(t, l.Kernel, l.machine("a",
			session.In("a", do("_enter", func(c *kernel.Context) {
				must(l.m.Goto(c, "b", "entry", 1, 2))
				c.Stop()
			})),
			session.In("b", session.Handle("entry", l.see)),
		))
		l.run()
		l.want()
		l.wantState("a")
		if where != "b entry[1 2]" {
			t.Errorf("dropped %q", where)
		}
	}, kerneltest.AllowDropped(), kerneltest.Config(kernel.Config{Observer: observer}))
}
