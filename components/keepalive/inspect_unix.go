//go:build unix

package keepalive

import (
	"errors"
	"net"
	"syscall"

	"github.com/usher-go/usher/wheel"
)

// look says, without reading, whether a connection that nobody uses has ended or
// has something to read.
func look(conn net.Conn) condition {
	sc, ok := below(conn).(syscall.Conn)
	if !ok {
		return probe(below(conn))
	}
	as := closed
	control(sc, func(fd int) {
		var b [1]byte
		for {
			n, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				as = clean
			case err == nil && n > 0:
				as = unread
			}
			return
		}
	})
	return as
}

// halfClosed reports whether our side has shut down its sending (A87): only then
// does send(2) of no bytes fail, and nothing reaches the peer either way.
func halfClosed(conn net.Conn) bool {
	if p, ok := conn.(wheel.Pollable); ok {
		_, err := p.TryWrite(nil)
		return err != nil && !errors.Is(err, wheel.ErrAgain)
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	half := true
	control(sc, func(fd int) {
		_, err := syscall.SendmsgN(fd, nil, nil, nil, syscall.MSG_DONTWAIT)
		half = err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return half
}

// control calls f with the descriptor, unless that is closed.
func control(sc syscall.Conn, f func(fd int)) {
	raw, err := sc.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}
