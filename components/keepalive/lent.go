package keepalive

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// Conn is a lent connection. It belongs to the session that asked for it, until
// Release or Close; when that session stops first, or gets a fresh receiver, it is
// closed. Release and Close free its place in the pool before they return (A89).
//
// A Conn that is dropped without either is closed when the garbage collector
// finds it, and reported (A82): keep the Conn, not only its wheel or its net.Conn.
// See also Config.LeakAfter.
type Conn struct {
	l     *loan
	leash *leash
}

// loan is what a Conn stands for, apart from it, so that the collector can tell
// when nobody has the Conn any more.
type loan struct {
	pool  *Pool
	order *order
	id    connID
	open  *entry
	nth   int       // of this connection
	since time.Time // with Config.LeakAfter; zero once it was reported
	state atomic.Int32
	raw   atomic.Bool // NetConn gave it away
	as    condition   // how it comes back

	// The user's, in the turn of the session that has the wheel.
	detach func() (unread []byte, err error) // takes the connection out of its wheel
	drop   func()                            // ends the wheel, without an event
	unread []byte                            // of a wheel that was taken off, for the next one
}

const (
	posted   int32 = iota // its answer is on the way
	taken                 // somebody uses it
	returned              // or withdrawn before anyone looked
)

// take reports whether the connection is the user's, from now on at the latest.
func (l *loan) take() bool {
	return l.state.CompareAndSwap(posted, taken) || l.state.Load() == taken
}

// void ends a loan that nobody has looked at; false when somebody has.
func (l *loan) void() bool { return l.state.CompareAndSwap(posted, returned) }

// claim ends the loan; true for one caller only, who has to bring the
// connection back to the pool.
func (l *loan) claim() bool { return l.state.Swap(returned) != returned }

// claim is the loan's, and takes the leash off.
func (c *Conn) claim() bool {
	if !c.l.claim() {
		return false
	}
	c.l.open.keep(c.leash)
	c.leash = nil
	return true
}

func (l *loan) notLent() error {
	return fmt.Errorf("keepalive: connection to %v: %w", l.order.key, ErrNotLent)
}

// Key returns what the connection was asked for.
func (c *Conn) Key() Key { return c.l.order.key }

// NetConn returns the connection, nil after Release, Close, or a Deallocate that
// came before. Whoever reads from it must stop before Release.
func (c *Conn) NetConn() net.Conn {
	if !c.l.take() {
		return nil
	}
	c.l.raw.Store(true)
	return c.l.open.net
}

// Reused reports whether the connection was lent before.
func (c *Conn) Reused() bool { return c.l.nth > 1 }

// Opened is when the connection was opened, TLS included, by the kernel's clock.
func (c *Conn) Opened() time.Time { return c.l.open.opened }

// Age is how long ago that was.
func (c *Conn) Age() time.Duration { return c.l.pool.k.Now().Sub(c.Opened()) }

// Protocol is what TLS negotiated (ALPN), such as "h2"; empty when it did not, and
// without TLS.
func (c *Conn) Protocol() string { return c.l.open.protocol }

// Attach leaves v with the connection, for whoever gets it next: Attached returns
// it. If v has a method Err() error, the pool asks that whether the connection still
// stands, and does not look at it itself: for a v that keeps a reader on it. If v is
// an io.Closer, the pool closes it once, after the connection itself: when that was
// idle, comes back to be closed, or was left behind by its user; never while it is
// lent. Neither method may block or call the pool. Request.Use should keep others
// away from such a connection. After Release it does nothing.
func (c *Conn) Attach(v any) {
	if c.l.take() {
		c.l.open.attach(v)
	}
}

// Attached returns what the last Attach left with the connection; nil without, and
// after Release.
func (c *Conn) Attached() any {
	if !c.l.take() {
		return nil
	}
	return c.l.open.state
}

// Start puts a wheel on the connection, for the current session (A80). Release
// takes it off again, also after a wheel.Exchange; so does another Start, whose wheel
// goes on with what the old one had not parsed, with that one's filter or another.
// Errors match ErrNotLent when the connection is not the caller's any more;
// wheel.ErrConfig, when an old wheel is off all the same, and what it had not parsed is
// kept for the next one; or what wheel.ReadWrite.Release says of an old wheel that
// cannot be taken off, and goes on.
func Start[In, Out any](c *kernel.Context, conn *Conn, cfg wheel.ReadWriteConfig[In, Out]) (*wheel.ReadWrite[In, Out], error) {
	l := conn.l
	if !l.take() {
		return nil, l.notLent()
	}
	if err := l.takeOff(); err != nil {
		return nil, err
	}
	rw, err := wheel.NewReadWrite(c, l.open.net, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Filter.Feed(bytes.TrimPrefix(l.unread, cfg.Filter.Pending())) // the old one has its part already
	l.unread, l.drop = nil, func() { rw.Current().Close() }
	l.detach = func() ([]byte, error) {
		_, unread, err := rw.Current().Release()
		return unread, err
	}
	runtime.KeepAlive(conn)
	return rw, nil
}

// takeOff ends the wheel, if there is one, and keeps the connection. With an
// error the wheel goes on.
func (l *loan) takeOff() error {
	if l.detach == nil {
		return nil
	}
	unread, err := l.detach()
	if err == nil {
		l.detach, l.drop, l.unread = nil, nil, unread
	}
	return err
}

// Release gives the connection back (A79, A90): to be lent again, or to be closed
// if either side closed it, or if it has unread input or unsent output. It is for
// a connection on which the peer has answered everything: an answer that comes
// later may reach the next user. Otherwise use Close. After Start it belongs in a
// handler of the session that started the wheel; otherwise any goroutine will do. The
// error matches ErrNotLent: it was given back before, or the session that asked for it
// has ended (A88).
func (c *Conn) Release() error {
	l := c.l
	if !c.claim() {
		return l.notLent()
	}
	l.giveBack(l.condition())
	return nil
}

// Close closes the connection and gives its place back (A84). Where and with
// what errors, as Release.
func (c *Conn) Close() error {
	l := c.l
	if !c.claim() {
		return l.notLent()
	}
	l.end()
	l.giveBack(closed)
	return nil
}

// Report tells the pool's Breaker what the pool cannot see: whether the peer
// served its user as it should. A row of failures opens the circuit of the
// connection's Key, as failed openings do. Where it may be called, as Release,
// before or after that; without a Config.Breaker it does nothing.
func (c *Conn) Report(ok bool) {
	if l := c.l; l.pool.cfg.Breaker.on() {
		_, _ = l.pool.k.Call(background, l.pool.addr, evReport.Name(), report{key: l.order.key, failed: !ok}) // a pool that ended does not care
	}
}

// condition is how the connection comes back.
func (l *loan) condition() condition {
	if l.takeOff() != nil {
		l.end()
		return closed
	}
	if len(l.unread) > 0 {
		return unread
	}
	return l.open.inspect(l.raw.Load())
}

// giveBack has the pool take the connection. If it cannot now (a CallTimeout),
// only the place comes back, later.
func (l *loan) giveBack(as condition) {
	l.as = as
	if l.pool.keeper.putBack(l) {
		return
	}
	if _, err := l.pool.k.Call(background, l.pool.addr, evRelease.Name(), l); err != nil {
		l.end()
		l.post()
	}
}

// post brings a closed connection back without waiting. A pool that has ended
// does not care (A108), but for the ward it has left behind.
func (l *loan) post() {
	l.as = closed
	if evRelease.PostFrom(l.pool.k, l.pool.addr, l) != nil {
		l.pool.keeper.relieve(l.order.who)
	}
}

func (l *loan) end() {
	if l.drop != nil {
		l.drop()
	}
	l.open.close()
}
