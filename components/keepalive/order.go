package keepalive

import (
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// order is a request with what belongs to it, on its way into the pool and there.
type order struct {
	id      RequestID
	key     Key
	who     kernel.Address // nobody, for Get
	event   kernel.Event[Response]
	context any
	timeout time.Duration
	fresh   bool
	first   bool      // of its session
	asked   time.Time // when it came to wait
	site    *site     // who called Allocate or Get, with Config.LeakAfter
	get     *getting  // of Get, which takes the place of a session

	// The requester's lease (A32). It is taken after the call that brought the
	// order, by when the answer may be on its way already.
	lease    atomic.Pointer[kernel.Lease]
	answered atomic.Bool

	waiting bool // not answered by that call

	loan loan // what it gets; here, and not apart, because that costs less
}

// getting is the answer to Get: there when the call that brought its order has
// returned or, if that had to wait, done is closed.
type getting struct {
	conn *Conn
	err  error
	done chan struct{}
}

func (g *getting) settle(conn *Conn, err error) {
	g.conn, g.err = conn, err
	if g.done != nil {
		close(g.done)
	}
}

// take returns the answer. It stays with its order, and that with the loan, but for
// the Conn, which the collector would never find.
func (g *getting) take() (*Conn, error) {
	conn := g.conn
	g.conn = nil
	return conn, g.err
}

// hold keeps the requester until letGo. Its handler still runs, so that it
// cannot have ended.
func (o *order) hold(c *kernel.Context) {
	o.lease.Store(c.Lease("keepalive request"))
	if o.answered.Load() {
		o.letGo()
	}
}

func (o *order) letGo() {
	o.answered.Store(true)
	if l := o.lease.Swap(nil); l != nil {
		l.Release()
	}
}
