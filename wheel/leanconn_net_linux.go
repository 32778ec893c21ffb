package wheel

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var (
	_ net.Conn      = (*leanConn)(nil)
	_ syscall.Conn  = (*leanConn)(nil)
	_ io.ReaderFrom = (*leanConn)(nil)
	_ io.WriterTo   = (*leanConn)(nil)
)

// ordinary has the runtime watch the connection, for those who wait for it by
// themselves. A wheel that has it goes on with its own descriptor.
func (c *leanConn) ordinary() (*net.TCPConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tcp != nil {
		return c.tcp, nil
	}
	if !c.open() {
		return nil, net.ErrClosed
	}
	options := readOptions(c.fd)
	dup, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(dup), "tcp")
	defer file.Close()
	conn, err := net.FileConn(file) // has a duplicate of its own, and options as accepted
	options.set(c.fd)
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close()
		return nil, syscall.EPROTOTYPE
	}
	if !c.held {
		_ = c.drop()
	}
	c.tcp = tcp
	return tcp, nil
}

func (c *leanConn) Read(p []byte) (int, error) {
	tcp, err := c.ordinary()
	if err != nil {
		return 0, c.failed("read", err)
	}
	return tcp.Read(p)
}

func (c *leanConn) Write(p []byte) (int, error) {
	tcp, err := c.ordinary()
	if err != nil {
		return 0, c.failed("write", err)
	}
	return tcp.Write(p)
}

// ReadFrom is *net.TCPConn's: it knows quicker ways from a file or another connection.
func (c *leanConn) ReadFrom(r io.Reader) (int64, error) {
	tcp, err := c.ordinary()
	if err != nil {
		return 0, c.failed("readfrom", err)
	}
	return tcp.ReadFrom(r)
}

func (c *leanConn) WriteTo(w io.Writer) (int64, error) {
	tcp, err := c.ordinary()
	if err != nil {
		return 0, c.failed("writeto", err)
	}
	return tcp.WriteTo(w)
}

func (c *leanConn) SetDeadline(t time.Time) error {
	return c.set(func(tcp *net.TCPConn) error { return tcp.SetDeadline(t) })
}

func (c *leanConn) SetReadDeadline(t time.Time) error {
	return c.set(func(tcp *net.TCPConn) error { return tcp.SetReadDeadline(t) })
}

func (c *leanConn) SetWriteDeadline(t time.Time) error {
	return c.set(func(tcp *net.TCPConn) error { return tcp.SetWriteDeadline(t) })
}

func (c *leanConn) set(f func(*net.TCPConn) error) error {
	tcp, err := c.ordinary()
	if err != nil {
		return c.failed("set", err)
	}
	return f(tcp)
}

// SyscallConn is for options of the socket; only what waits needs the runtime.
func (c *leanConn) SyscallConn() (syscall.RawConn, error) { return leanRaw{c}, nil }

type leanRaw struct{ *leanConn }

func (r leanRaw) Read(f func(fd uintptr) bool) error {
	return r.wait(func(raw syscall.RawConn) error { return raw.Read(f) })
}

func (r leanRaw) Write(f func(fd uintptr) bool) error {
	return r.wait(func(raw syscall.RawConn) error { return raw.Write(f) })
}

func (r leanRaw) wait(f func(syscall.RawConn) error) error {
	return r.set(func(tcp *net.TCPConn) error {
		raw, err := tcp.SyscallConn()
		if err != nil {
			return err
		}
		return f(raw)
	})
}
