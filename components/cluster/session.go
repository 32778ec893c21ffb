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
	evRelay   = "relay"   // func(*kernel.Context)
	evKeep    = "keep"    // request
	evEnded   = "ended"   // the session's ID, request
	evWatch   = "watch"   // watched: its session's end is to end it
	evUnwatch = "unwatch" // the session's ID, watched
)

// lastWords is how long the directory may take when the kernel is stopped.
const lastWords = time.Second

// relay is the node's session.
func (n *Node) relay() kernel.Receiver { return &relay{n} }

type relay struct{ n *Node }

func (r *relay) Receive(c *kernel.Context) error {
	switch c.Event() {
	case "_start":
	case "_stop":
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		r.n.leave(ctx)
	case evRelay:
		if f, ok := c.Arg(0).(func(*kernel.Context)); ok {
			f(c)
		}
	case evKeep:
		if k, ok := c.Arg(0).(request); ok {
			k.begin(c)
		}
	case evEnded:
		if k, ok := c.Arg(1).(request); ok {
			k.ended(kernel.ErrStopped)
		}
	case evWatch:
		r.watch(c)
	case evUnwatch:
		if w, ok := c.Arg(1).(watched); ok {
			w.forget(r.n)
		}
	default:
		c.Unhandled()
	}
	return nil
}

// watched is something that ends with its session.
type watched interface {
	owner() kernel.Address
	forget(*Node)
}

func (r *relay) watch(c *kernel.Context) {
	w, ok := c.Arg(0).(watched)
	if ok && c.Monitor(w.owner(), evUnwatch, w) != nil {
		w.forget(r.n) // it has ended already
	}
}
