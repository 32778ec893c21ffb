package httpd

import (
	"sync/atomic"
	"time"
)

// turn is how far a connection is between two requests, so that a graceful end never
// takes a request and leaves it unanswered. What is read before it hangs up is
// answered, what is read afterwards nobody has seen.
type turn struct {
	atomic.Int32
	until atomic.Int64 // how long it listens after it has hung up, since epoch
}

const (
	serving int32 = iota // a request, or waiting for the first
	idle                 // between two requests
	begun                // the next one has come, and net/http still takes the connection for idle
	hungUp               // the client was told that no answer will follow
)

// between says whether net/http takes the connection for idle.
func (t *turn) between() bool {
	now := t.Load()
	return now == idle || now == begun
}

// hangUp tells the client that it gets no more answers, if it has not asked for one.
// The socket is not closed yet: what the client sends at this moment would be met by
// a reset, which also destroys what was sent to it before (RFC 9112, 9.6).
func (c *conn) hangUp() bool {
	end := deadline(linger)
	c.turn.until.Store(int64(end.Sub(epoch)))
	if !c.turn.CompareAndSwap(idle, hungUp) {
		return false
	}
	if c.CloseWrite() != nil {
		return false
	}
	_ = c.Conn.SetReadDeadline(end)                 // wakes net/http's goroutine for it, which then closes
	time.AfterFunc(linger, func() { _ = c.shut() }) // that goroutine may have ended already
	return true
}

// politely has a graceful end close a connection, and reports whether Close has to
// leave the socket alone. TLS has said its good-bye already, so that the answer to a
// request that has begun could not be sent.
func (c *conn) politely() bool {
	if c.server.now() != isDraining || c.http2() {
		return false
	}
	switch c.turn.Load() {
	case idle:
		return c.hangUp() || c.turn.Load() == begun && c.tls.Load() == nil
	case begun:
		return c.tls.Load() == nil
	case hungUp:
		return true
	}
	return false
}

// Read marks a connection whose client has gone; what times out is net/http's own
// affair.
func (c *conn) Read(b []byte) (int, error) {
	for {
		if err := c.beginRead(); err != nil {
			return 0, err
		}
		if c.turn.Load() == hungUp { // net/http may have set another deadline meanwhile
			_ = c.Conn.SetReadDeadline(epoch.Add(time.Duration(c.turn.until.Load())))
		}
		n, err := c.Conn.Read(b)
		c.endRead()
		if n > 0 {
			c.turn.CompareAndSwap(idle, begun)
		}
		gone := c.turn.Load() == hungUp
		if gone && err == nil {
			continue
		}
		c.hear(n, err)
		if gone {
			n = 0
			_ = c.shut()
		}
		return n, err
	}
}
