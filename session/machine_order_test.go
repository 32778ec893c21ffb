package session_test

import (
	"fmt"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

type mark struct {
	where session.StateName // the state in which it is due
	n     int
}

// However events of others come in between, what the machine posts to itself and
// its transitions keep their order: each mark is handled in the state in which the
// transitions queued before it leave the machine. And each sender's events keep
// theirs, whichever state they meet.
func TestN5_OrderAmongManySenders(t *testing.T) {
	const senders, events = 5, 40
	everyWay(t, func(l *lab) {
		last, planned, marks := map[kernel.Address]int{}, session.StateName("a"), 0
		flip := session.Handle("flip", func(c *kernel.Context) error {
			from, n := c.Sender(), c.Arg(0).(int)
			if n != last[from]+1 {
				t.Errorf("event %d of %v after %d", n, from, last[from])
			}
			last[from] = n
			must(c.Yield("mark", mark{planned, marks}))
			planned = map[session.StateName]session.StateName{"a": "b", "b": "a"}[planned]
			must(l.m.Goto(c, planned, ""))
			return c.Yield("mark", mark{planned, marks + 1})
		})
		check := do("mark", func(c *kernel.Context) {
			if m := c.Arg(0).(mark); m.where != l.m.Current() {
				t.Errorf("mark %d in state %q, want %q", m.n, l.m.Current(), m.where)
			}
			marks++
		})
		a := spawn(t, l.Kernel, l.machine("a", session.In("a", flip, check), session.In("b", flip, check)), kernel.Alias("machine"))
		for i := range senders {
			spawn(t, l.Kernel, session.New(
				do("_start", func(c *kernel.Context) { must(c.Yield("send", 1)) }),
				do("send", func(c *kernel.Context) {
					n := c.Arg(0).(int)
					must(c.Post(a, "flip", n))
					if n < events {
						must(c.Yield("send", n+1))
					}
				}),
			), kernel.Alias(fmt.Sprint("sender ", i)))
		}
		l.run()
		if marks != 2*senders*events {
			t.Errorf("%d marks, want %d", marks, 2*senders*events)
		}
		l.want()
	})
}
