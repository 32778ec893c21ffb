package wheel

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/usher-go/usher/kernel"
	"golang.org/x/sys/unix"
)

// leanTCPListener accepts leanConns, in its owner's turn.
type leanTCPListener struct {
	*net.TCPListener
	raw    syscall.RawConn
	local  net.Addr // of all connections; nil: of an address for all of the machine
	notify atomic.Pointer[func()]

	mu     sync.Mutex
	at     ticket
	polled bool
	closed bool
}

var (
	_ PollableListener = (*leanTCPListener)(nil)
	_ readied          = (*leanTCPListener)(nil)
)

// leanListener returns l itself when its connections have to be ordinary ones. Nobody
// else has the listener: it does not block, and is not closed unnoticed.
func leanListener(l net.Listener) net.Listener {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return l
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return l
	}
	lean := &leanTCPListener{TCPListener: tcp, raw: raw}
	if a, ok := tcp.Addr().(*net.TCPAddr); ok && !a.IP.IsUnspecified() {
		lean.local = a
	}
	return lean
}

func (l *leanTCPListener) Notify(acceptable func()) {
	if acceptable == nil {
		l.notify.Store(nil)
		return
	}
	l.notify.Store(&acceptable)
}

func (l *leanTCPListener) ready(uint32, func(*kernel.Source)) {
	if f := l.notify.Load(); f != nil {
		(*f)()
	}
}

// TryAccept puts the listener under the poller when there is something to wait for.
func (l *leanTCPListener) TryAccept() (conn net.Conn, err error) {
	if e := l.raw.Control(func(fd uintptr) { conn, err = l.accept(int(fd)) }); e != nil {
		err = e
	}
	if err != nil && err != ErrAgain {
		err = &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: err}
	}
	return conn, err
}

func (l *leanTCPListener) accept(fd int) (net.Conn, error) {
	conn, remote, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	switch err {
	case nil:
	case unix.EAGAIN:
		if err := l.poll(fd); err != nil {
			return nil, err
		}
		return nil, ErrAgain
	default:
		return nil, os.NewSyscallError("accept4", err)
	}
	local := l.local
	if local == nil {
		at, _ := unix.Getsockname(conn)
		local = tcpAddr(at)
	}
	acceptedOptions.set(conn)
	return newLeanConn(conn, local, tcpAddr(remote)), nil
}

func (l *leanTCPListener) poll(fd int) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return net.ErrClosed
	case l.polled:
		return nil
	}
	l.at, err = polls.add(fd, l)
	l.polled = err == nil
	return err
}

func (l *leanTCPListener) Close() error {
	l.mu.Lock()
	l.closed = true
	if l.polled {
		l.polled = false
		_ = l.raw.Control(func(fd uintptr) { polls.take(int(fd)) }) // a child process may have it, too
		polls.forget(l.at)
	}
	l.mu.Unlock()
	return l.TCPListener.Close()
}

func tcpAddr(sa unix.Sockaddr) net.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		a := &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
		if sa.ZoneId != 0 {
			a.Zone = zoneName(int(sa.ZoneId))
		}
		return a
	}
	return new(net.TCPAddr)
}
