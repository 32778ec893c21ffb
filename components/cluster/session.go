package cluster

import (
	"context"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Events of the node's own session, which does what has to be done inside a handler.
// They are not for others: admit refuses what comes from elsewhere, and the session
// what is not of these types.
const (
	evRelay = "relay" // func(*kernel.Context)
	evKeep  = "keep"  // *request
	evWatch = "watch" // endOf: to hear of a session's end
	evEnded = "ended" // the session's ID, endOf
)

// lastWords is how long the directory may take when the kernel is stopped.
const lastWords = time.Second

// relay is the node's session.
func (n *Node) relay() kernel.Receiver { return &relay{n} }

type relay struct{ n *Node }

func (r *relay) Receive(c *kernel.Context) error {
	switch c.Event() {
	case "_start":
		_ = c.AliasSet(Alias) // it is for those who look; the last node's session may just be ending
	case "_stop":
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		if r.n.leave(ctx) {
			r.n.session.Release()
		}
	case evRelay:
		if f, ok := c.Arg(0).(func(*kernel.Context)); ok {
			f(c)
		}
	case evKeep:
		if k, ok := c.Arg(0).(*request); ok {
			k.begin(c)
		}
	case evWatch:
		if e, ok := c.Arg(0).(endOf); ok {
			r.n.watch(c, e.id)
		}
	case evEnded:
		if e, ok := c.Arg(1).(endOf); ok {
			r.n.ended(e.id)
		}
	default:
		c.Unhandled()
	}
	return nil
}
