package keepalive

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/usher-go/usher/wheel"
)

// inspect says how a connection comes back from its user. raw: the user had the
// net.Conn, and may have shut down its sending side.
func (e *eye) inspect(raw bool) condition {
	as := e.look()
	if as != clean {
		return as
	}
	if _, ok := e.conn.(*tls.Conn); ok { // what was decrypted and not read shows on no descriptor
		as = probe(e.conn)
	}
	if as == clean && raw && e.halfClosed() { // A87
		return closed
	}
	return as
}

// probe tries to read without waiting, which is enough for what does not wait
// for a descriptor: an end that is known, or bytes that a TLS connection has
// decrypted, or a connection that can be asked.
func probe(conn net.Conn) condition {
	var b [1]byte
	if p, ok := conn.(wheel.Pollable); ok {
		switch n, err := p.TryRead(b[:]); {
		case n > 0:
			return unread
		case errors.Is(err, wheel.ErrAgain):
			return clean
		}
		return closed
	}
	_ = conn.SetReadDeadline(time.Unix(1, 0))
	n, err := conn.Read(b[:])
	switch {
	case n > 0:
		return unread
	case !errors.Is(err, os.ErrDeadlineExceeded) || conn.SetReadDeadline(time.Time{}) != nil:
		return closed
	}
	return clean
}

// abort has closing reset the connection, so that unread input leaves no
// half-closed socket behind (A91).
func abort(conn net.Conn) {
	if c, ok := below(conn).(interface{ SetLinger(sec int) error }); ok {
		_ = c.SetLinger(0)
	}
}

// hangUp closes a connection without waiting: a TLS connection's own Close would
// first write to its peer, which may take its time.
func hangUp(conn net.Conn) { _ = below(conn).Close() }

// below is the connection that carries a TLS connection.
func below(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}
