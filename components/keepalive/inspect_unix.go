//go:build unix

package keepalive

import (
	"errors"
	"net"
	"syscall"

	"github.com/usher-go/usher/wheel"
)

// eye looks at one connection. It is made once for all the looks at it, which
// then allocate nothing.
type eye struct {
	conn net.Conn
	raw  syscall.RawConn // of a connection that has a descriptor
	peek func(fd uintptr)
	seen condition
	buf  [1]byte
}

func newEye(conn net.Conn) *eye {
	e := &eye{conn: conn}
	if sc, ok := below(conn).(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			e.raw, e.peek = raw, e.peekAt
		}
	}
	return e
}

// look says, without reading, whether a connection that nobody uses has ended or
// has something to read.
func (e *eye) look() condition {
	if e.raw == nil {
		return probe(below(e.conn))
	}
	e.seen = closed // as it stays when the descriptor is no more
	_ = e.raw.Control(e.peek)
	return e.seen
}

func (e *eye) peekAt(fd uintptr) {
	for {
		n, err := peek(fd, e.buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			e.seen = clean
		case err == nil && n > 0:
			e.seen = unread
		}
		return
	}
}

// halfClosed reports whether our side has shut down its sending (A87): only then
// does send(2) of no bytes fail, and nothing reaches the peer either way.
func (e *eye) halfClosed() bool {
	if p, ok := below(e.conn).(wheel.Pollable); ok {
		_, err := p.TryWrite(nil)
		return err != nil && !errors.Is(err, wheel.ErrAgain)
	}
	if e.raw == nil {
		return false
	}
	half := true
	_ = e.raw.Control(func(fd uintptr) {
		_, err := syscall.SendmsgN(int(fd), nil, nil, nil, syscall.MSG_DONTWAIT)
		half = err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return half
}
