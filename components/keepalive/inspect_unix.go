//go:build unix

package keepalive

import (
	"crypto/tls"
	"net"
	"syscall"
)

// inspect looks, without reading, whether a connection that nobody uses is fit
// to be lent: it has neither ended nor anything to read.
func inspect(conn net.Conn) condition {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return clean // no descriptor to look at
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return closed
	}
	as := closed
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		switch n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT); {
		case err == syscall.EAGAIN || err == syscall.EINTR:
			as = clean
		case err == nil && n > 0:
			as = unread
		}
	})
	if err != nil {
		return closed
	}
	return as
}

// abort has Close reset the connection, so that unread input leaves no
// half-closed socket behind (A91).
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}
