package wheel

import (
	"net"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// leanConn is a TCP connection that the Go runtime does not watch: what arrives wakes
// one poller instead of two. Wheels try its descriptor, and wait in their own poller.
// Whatever else waits has it made an ordinary connection, see ordinary.
type leanConn struct {
	local, remote net.Addr

	mu     sync.Mutex
	fd     int          // -1: closed, or given to tcp
	users  int          // of fd, without the lock …
	doomed bool         // … the last of whom closes it
	held   bool         // a wheel tries fd
	tcp    *net.TCPConn // the ordinary connection; nil: nobody has asked for it
}

var _ handle = (*leanConn)(nil)

// newLeanConn owns fd, which does not block.
func newLeanConn(fd int, local, remote net.Addr) *leanConn {
	c := &leanConn{fd: fd, local: local, remote: remote}
	runtime.SetFinalizer(c, (*leanConn).forgotten) // as those of package net have
	return c
}

// forgotten leaves tcp alone, which somebody may have kept.
func (c *leanConn) forgotten() { _ = c.drop() }

// open reports whether fd may be used.
func (c *leanConn) open() bool { return c.fd >= 0 && !c.doomed }

// drop closes fd, or leaves that to who uses it.
func (c *leanConn) drop() (err error) {
	switch {
	case c.fd < 0:
	case c.users > 0:
		c.doomed = true
	default:
		err = os.NewSyscallError("close", unix.Close(c.fd))
		c.fd = -1
	}
	return err
}

// hold is for a wheel. False: fd is not to be used any more, perhaps tcp is.
func (c *leanConn) hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.open()
	return c.held
}

// letGo ends hold.
func (c *leanConn) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = false
	if c.tcp != nil {
		_ = c.drop()
	}
}

func (c *leanConn) read(p []byte) (int, error) { return c.try("read", receive, p) }

func (c *leanConn) write(p []byte) (int, error) { return c.try("write", send, p) }

// try keeps the descriptor from being closed, and used anew, meanwhile.
func (c *leanConn) try(op string, io func(fd uintptr, p []byte) (int, bool, error), p []byte) (int, error) {
	c.mu.Lock()
	if !c.open() {
		c.mu.Unlock()
		return 0, c.closed(op)
	}
	n, again, err := io(uintptr(c.fd), p)
	c.mu.Unlock()
	if again {
		err = ErrAgain
	}
	return n, err
}

// Control is RawConn's: f may use the connection, even close it.
func (c *leanConn) Control(f func(fd uintptr)) error {
	c.mu.Lock()
	if c.open() {
		fd := c.fd
		c.users++
		c.mu.Unlock()
		defer c.used()
		f(uintptr(fd))
		return nil
	}
	tcp := c.tcp
	c.mu.Unlock()
	if tcp == nil {
		return c.closed("raw-control")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

func (c *leanConn) used() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users--; c.doomed && c.users == 0 {
		c.doomed = false
		_ = c.drop()
	}
}

// Close closes the connection in both its shapes.
func (c *leanConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open() && c.tcp == nil {
		return c.closed("close")
	}
	runtime.SetFinalizer(c, nil)
	err := c.drop()
	if c.tcp != nil {
		err = c.tcp.Close()
		c.tcp = nil
	}
	return c.failed("close", err)
}

func (c *leanConn) CloseRead() error { return c.shutdown("CloseRead", unix.SHUT_RD) }

func (c *leanConn) CloseWrite() error { return c.shutdown("CloseWrite", unix.SHUT_WR) }

func (c *leanConn) shutdown(op string, how int) (err error) {
	if e := c.Control(func(fd uintptr) { err = os.NewSyscallError("shutdown", unix.Shutdown(int(fd), how)) }); e != nil {
		err = net.ErrClosed
	}
	return c.failed(op, err)
}

func (c *leanConn) LocalAddr() net.Addr { return c.local }

func (c *leanConn) RemoteAddr() net.Addr { return c.remote }

func (c *leanConn) closed(op string) error { return c.failed(op, net.ErrClosed) }

// failed is an error as those of package net are.
func (c *leanConn) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
