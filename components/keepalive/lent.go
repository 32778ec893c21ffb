package keepalive

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// Conn is a lent connection. It belongs to the session that asked for it, until
// Release or Close; when that session stops first, it is closed. Release and
// Close free its place in the pool before they return (A89).
type Conn struct {
	pool  *Pool
	id    connID
	owner kernel.Address
	net   net.Conn
	key   Key

	state  atomic.Int32
	closed atomic.Bool
	detach func() bool // takes the connection out of its wheel; false when it is not fit to be lent
	drop   func()      // ends its wheel, without an event
}

const (
	posted   int32 = iota // its answer is on the way
	taken                 // somebody uses it
	returned              // released, or withdrawn before anyone looked
)

// Key returns what the connection was asked for.
func (c *Conn) Key() Key { return c.key }

// NetConn returns the connection, nil after Release, Close, or a Deallocate that
// came before. Whoever reads from it must stop before Release.
func (c *Conn) NetConn() net.Conn {
	if c.take() {
		return c.net
	}
	return nil
}

func (c *Conn) take() bool {
	return c.state.CompareAndSwap(posted, taken) || c.state.Load() == taken
}

// void makes a Conn useless that nobody has looked at; false when somebody has.
func (c *Conn) void() bool { return c.state.CompareAndSwap(posted, returned) }

// Start puts a wheel on the connection, for the current session (A80). Release
// takes it off again. ErrNotLent when the connection is not the caller's any more.
func Start[In, Out any](c *kernel.Context, conn *Conn, cfg wheel.ReadWriteConfig[In, Out]) (*wheel.ReadWrite[In, Out], error) {
	if !conn.take() {
		return nil, ErrNotLent
	}
	rw, err := wheel.NewReadWrite(c, conn.net, cfg)
	if err != nil {
		return nil, err
	}
	conn.drop = rw.Close
	conn.detach = func() bool {
		_, rest, err := rw.Release()
		if err != nil {
			rw.Close() // output still queued, or the connection is at its end
		}
		return err == nil && len(rest) == 0
	}
	return rw, nil
}

// Release gives the connection back (A79, A90): to be lent again, or to be closed
// if the peer closed it or left unread input. After Start it belongs in a handler
// of the session that started the wheel. ErrNotLent: it was given back before (A88).
func (c *Conn) Release() error {
	if c.state.Swap(returned) == returned {
		return ErrNotLent
	}
	if _, err := c.pool.k.Call(background, c.pool.addr, evRelease.Name(), c); err != nil {
		c.closeNet()
		if err = ended(err); err != ErrShutDown {
			return err
		}
	}
	return nil
}

// Close closes the connection and gives its place back (A84).
func (c *Conn) Close() error {
	if c.state.Load() == returned {
		return ErrNotLent
	}
	c.closeNet()
	return c.Release()
}

func (c *Conn) closeNet() {
	if c.closed.Swap(true) {
		return
	}
	if c.drop != nil {
		c.drop()
	}
	_ = c.net.Close()
}

// condition is how the connection comes back.
func (c *Conn) condition() condition {
	switch {
	case c.closed.Load(): // by Close; the wheel, if there is one, has ended with it
		return closed
	case c.detach != nil && !c.detach():
		return closed
	}
	return inspect(c.net)
}

// holding keeps a requester until it is answered.
type holding struct {
	lease    atomic.Pointer[kernel.Lease]
	answered atomic.Bool
	once     sync.Once
}

func (h *holding) letGo() {
	h.answered.Store(true)
	if l := h.lease.Load(); l != nil {
		h.once.Do(l.Release)
	}
}
