package keepalive

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// entry is an open connection, for as long as it is open, whoever has it.
type entry struct {
	net      net.Conn
	eye      *eye
	opened   time.Time
	protocol string // of TLS
	lent     int    // how often
	loan     *loan  // nil while it is idle
	leash    *leash
	over     atomic.Bool

	due   time.Time // when it has been idle for long enough; zero without
	timer timerID   // of the table, for that

	state any // what a user attached …
	err   func() error
}

func newEntry(conn net.Conn, now time.Time) *entry {
	e := &entry{net: conn, eye: newEye(conn), opened: now}
	if secure, ok := conn.(*tls.Conn); ok {
		e.protocol = secure.ConnectionState().NegotiatedProtocol
	}
	return e
}

// lend makes the next loan of an idle or new connection.
func (e *entry) lend(p *Pool, o *order, id connID) *loan {
	e.lent++
	l := &o.loan
	l.pool, l.order, l.id, l.open, l.nth = p, o, id, e, e.lent
	e.loan = l
	return l
}

func (e *entry) attach(v any) {
	e.state, e.err = v, nil
	if minder, ok := v.(interface{ Err() error }); ok {
		e.err = minder.Err // … who looks at the connection himself
	}
}

// look says whether nobody has closed the connection or sent anything.
func (e *entry) look() condition {
	switch {
	case e.err == nil:
		return e.eye.look()
	case e.err() == nil:
		return clean
	}
	return closed
}

// inspect says how the connection comes back. raw: see [eye.inspect].
func (e *entry) inspect(raw bool) condition {
	if e.err != nil {
		return e.look()
	}
	return e.eye.inspect(raw)
}

// close does not wait. Its user may have closed the connection before the pool
// does, so that it comes here twice.
func (e *entry) close() {
	if e.over.Swap(true) {
		return
	}
	hangUp(e.net)
	if c, ok := e.state.(io.Closer); ok {
		_ = c.Close()
	}
}
