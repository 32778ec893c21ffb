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
func inspect(conn net.Conn, raw bool) condition {
	as := look(conn)
	if as != clean {
		return as
	}
	if _, ok := conn.(*tls.Conn); ok { // what was decrypted and not read shows on no descriptor
		as = probe(conn)
	}
	if as == clean && raw && halfClosed(below(conn)) {
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
		case !errors.Is(err, wheel.ErrAgain):
			return closed
		}
		return clean
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
	if tcp, ok := below(conn).(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0)
	}
}
