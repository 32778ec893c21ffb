package wheel_test

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel"
	"golang.org/x/net/nettest"
	"golang.org/x/sys/unix"
)

// As a net.Conn it is as good as package net's.
func TestLean_IsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = leanly(t, "127.0.0.1:0")
		return c1, c2, func() { _ = c1.Close(); _ = c2.Close() }, nil
	})
}

// Both know the same two addresses, and go on knowing them.
func TestLean_Addresses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			near, far := leanly(t, address)
			for range 2 {
				if got, want := near.LocalAddr().String(), far.RemoteAddr().String(); got != want {
					t.Errorf("local address %s, want %s", got, want)
				}
				if got, want := near.RemoteAddr().String(), far.LocalAddr().String(); got != want {
					t.Errorf("remote address %s, want %s", got, want)
				}
				_ = near.Close()
			}
		})
	}
}

// The socket's options are those of a connection that package net has accepted.
func TestLean_Options(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialed.Close()
	plain, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	near, _ := leanly(t, "127.0.0.1:0")
	for name, o := range map[string][2]int{
		"TCP_NODELAY": {unix.IPPROTO_TCP, unix.TCP_NODELAY}, "SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		"TCP_KEEPIDLE": {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}, "TCP_KEEPINTVL": {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
		"TCP_KEEPCNT": {unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	} {
		if got, want := option(t, near, o), option(t, plain, o); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	if flags := status(t, near); flags&unix.O_NONBLOCK == 0 {
		t.Error("the descriptor blocks")
	}
}

func option(t *testing.T, conn net.Conn, o [2]int) (v int) {
	t.Helper()
	onDescriptor(t, conn, func(fd int) (err error) {
		v, err = unix.GetsockoptInt(fd, o[0], o[1])
		return err
	})
	return v
}

func status(t *testing.T, conn net.Conn) (flags int) {
	t.Helper()
	onDescriptor(t, conn, func(fd int) (err error) {
		flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		return err
	})
	return flags
}

func onDescriptor(t *testing.T, conn net.Conn, f func(fd int) error) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := raw.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
}

// Closing is told everybody, once.
func TestLean_Closed(t *testing.T) {
	near, far := leanly(t, "127.0.0.1:0")
	if err := near.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if n, err := far.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the peer read %d, %v, want the end", n, err)
	}
	raw, err := near.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := near.Close(); err != nil {
		t.Error(err)
	}
	none := func(uintptr) { t.Error("a closed descriptor was shown") }
	for name, err := range map[string]error{
		"Close":       near.Close(),
		"CloseWrite":  near.(interface{ CloseWrite() error }).CloseWrite(),
		"CloseRead":   near.(interface{ CloseRead() error }).CloseRead(),
		"SetDeadline": near.SetDeadline(time.Time{}),
		"Control":     raw.Control(none),
		"Read":        raw.Read(func(fd uintptr) bool { none(fd); return true }),
		"Write":       raw.Write(func(fd uintptr) bool { none(fd); return true }),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s of a closed connection: %v", name, err)
		}
	}
	if _, ok := wheel.TCPConn(near); ok {
		t.Error("a closed connection has become an ordinary one")
	}
}

// A connection that is forgotten is closed some day, as package net's are.
func TestLean_Forgotten(t *testing.T) {
	far := func() net.Conn {
		_, far := leanPair(t, "127.0.0.1:0")
		return far
	}()
	defer far.Close()
	for end := time.Now().Add(patience); ; {
		runtime.GC()
		_ = far.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := far.Read(make([]byte, 1))
		if err == io.EOF {
			return
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end) {
			t.Fatalf("read: %v, want the end", err)
		}
	}
}

// … but not the ordinary connection that somebody has made of it and keeps.
func TestLean_ForgottenForAnOrdinaryOne(t *testing.T) {
	tcp, far := func() (*net.TCPConn, net.Conn) {
		near, far := leanPair(t, "127.0.0.1:0")
		tcp, ok := wheel.TCPConn(near)
		if !ok {
			t.Fatal("there is no ordinary connection")
		}
		return tcp, far
	}()
	defer far.Close()
	defer tcp.Close()
	for range 5 {
		runtime.GC()
		if _, err := io.WriteString(tcp, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := far.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// Options that were set before stay as they are when it becomes an ordinary one.
func TestLean_KeepsItsOptions(t *testing.T) {
	near, _ := leanly(t, "127.0.0.1:0")
	options := map[[2]int]int{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY}: 0, {unix.SOL_SOCKET, unix.SO_KEEPALIVE}: 0, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT}: 3,
	}
	for o, v := range options {
		onDescriptor(t, near, func(fd int) error { return unix.SetsockoptInt(fd, o[0], o[1], v) })
	}
	tcp, ok := wheel.TCPConn(near)
	if !ok {
		t.Fatal("there is no ordinary connection")
	}
	for o, want := range options {
		if got := option(t, tcp, o); got != want {
			t.Errorf("option %d is %d, want %d", o[1], got, want)
		}
	}
}

// Who has the descriptor may use the connection, even close it: the descriptor is
// closed when he has returned.
func TestLean_ControlMayClose(t *testing.T) {
	for _, how := range []string{"open", "ordinary"} {
		near, far := leanly(t, "127.0.0.1:0")
		onDescriptor(t, near, func(fd int) error {
			if how == "ordinary" {
				if err := near.SetDeadline(time.Time{}); err != nil {
					return err
				}
			}
			if err := near.Close(); err != nil {
				return err
			}
			_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
			return err
		})
		if n, err := far.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: the peer read %d, %v, want the end", how, n, err)
		}
	}
}

// A peer that breaks the connection off: there is no ordinary one then, and the
// address is still known.
func TestLean_BrokenOff(t *testing.T) {
	near, far := leanly(t, "127.0.0.1:0")
	_ = far.(*net.TCPConn).SetLinger(0)
	_ = far.Close()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		gone := false
		onDescriptor(t, near, func(fd int) error {
			_, err := unix.Getpeername(fd)
			gone = err != nil
			return nil
		})
		if gone {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the reset does not come")
		}
	}
	if tcp, ok := wheel.TCPConn(near); ok {
		t.Errorf("there is an ordinary connection with %v", tcp.RemoteAddr())
	}
	if near.RemoteAddr() == nil {
		t.Error("the address is not known any more")
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want %v", err, syscall.ECONNRESET)
	}
}
