package wheel_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"golang.org/x/net/nettest"
	"golang.org/x/sys/unix"
)

// leanly makes a pair that is closed after the test.
func leanly(t *testing.T, address string) (near, far net.Conn) {
	t.Helper()
	near, far = leanPair(t, address)
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return near, far
}

// leanPair has a kernel accept one lean connection at an address, which far dials.
func leanPair(t *testing.T, address string) (near, far net.Conn) {
	t.Helper()
	var factory *wheel.SocketFactory
	dialed := make(chan net.Conn, 1)
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				BindAddress: address, Lean: true, SuccessEvent: gotConn,
			})
			if err != nil {
				return err
			}
			go func() {
				conn, err := net.Dial("tcp", factory.Addr().String())
				if err != nil {
					t.Error(err)
				}
				dialed <- conn
			}()
			return nil
		}),
		session.On(gotConn, func(_ *kernel.Context, conn net.Conn) error {
			near = conn
			factory.Close()
			return nil
		}),
	))
	far = <-dialed
	if near == nil || far == nil {
		t.Fatal("no connection")
	}
	if _, ordinary := near.(*net.TCPConn); ordinary {
		t.Fatal("the connection is a *net.TCPConn; Lean has done nothing")
	}
	return near, far
}

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

// watchers counts the epoll instances of the process that watch a descriptor.
func watchers(t *testing.T, fd int) (n int) {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil || len(infos) == 0 {
		t.Skip("no /proc/self/fdinfo here")
	}
	for _, path := range infos {
		info, _ := os.ReadFile(path)
		for line := range strings.Lines(string(info)) {
			var tfd int
			if _, err := fmt.Sscanf(line, "tfd: %d", &tfd); err == nil && tfd == fd {
				n++
			}
		}
	}
	return n
}

// That is what it is for: nobody but the wheel's poller watches the connection, until
// somebody asks for an ordinary one. Both serve then, and the wheel leaves nothing.
func TestLean_IsWatchedOnce(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := leanly(t, "127.0.0.1:0")
		files := descriptors(t)
		fd := -1
		onDescriptor(t, near, func(n int) error { fd = n; return nil })
		if n := watchers(t, fd); n != 0 {
			t.Errorf("%d watch a connection that nobody uses", n)
		}
		line := func(s string) { _, _ = io.WriteString(far, s+"\n") }
		var rw *lineWheel
		var tcp *net.TCPConn
		var got []string
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				rw, err = wheel.NewReadWrite(c, near, lineConfig{Filter: filter.Line(), InputEvent: gotLine, CloseEvent: closed})
				line("first")
				return err
			}),
			session.On(gotLine, func(_ *kernel.Context, s string) (err error) {
				switch got = append(got, s); s {
				case "first":
					if n := watchers(t, fd); n != 1 {
						t.Errorf("%d watch a wheel's connection, want 1", n)
					}
					var ok bool
					if tcp, ok = wheel.TCPConn(rw.Conn()); !ok {
						t.Fatal("there is no ordinary connection")
					}
					if err := tcp.SetNoDelay(false); err != nil {
						t.Error(err)
					}
					line("second")
				case "second": // the wheel goes on
					if n := option(t, near, [2]int{unix.IPPROTO_TCP, unix.TCP_NODELAY}); n != 0 {
						t.Error("an option of the ordinary connection did not reach the wheel's")
					}
					_, _, err = rw.Release()
				}
				return err
			}),
		))
		if len(got) != 2 {
			t.Errorf("got lines %q", got)
		}
		line("third")
		p := make([]byte, 6)
		if _, err := io.ReadFull(near, p); err != nil || string(p) != "third\n" {
			t.Errorf("after Release: %q, %v", p, err)
		}
		if again, ok := wheel.TCPConn(near); !ok || again != tcp {
			t.Errorf("the ordinary connection is %p and then %p", tcp, again)
		}
		if n := descriptors(t); n > files+2 { // the poller may be there still
			t.Errorf("%d descriptors, %d before", n, files)
		}
		_ = near.Close()
		if _, err := tcp.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
	})
}

// A wheel takes one that has become ordinary before, and one that is closed.
func TestLean_WheelOfAnOrdinaryOne(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := leanly(t, "127.0.0.1:0")
		if err := near.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		h := newHost(t, near)
		_, _ = io.WriteString(far, "hello\n")
		_ = far.(*net.TCPConn).CloseWrite()
		run(t, k, h.session())
		h.want("line hello", "read EOF", "closed nil")
	})
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, _ := leanly(t, "127.0.0.1:0")
		_ = near.Close()
		var reason error
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				_, err := wheel.NewReadWrite(c, near, lineConfig{Filter: filter.Line(), InputEvent: gotLine, CloseEvent: closed})
				return err
			}),
			session.On(closed, func(_ *kernel.Context, err error) error { reason = err; return nil }),
		))
		if !errors.Is(reason, net.ErrClosed) {
			t.Errorf("the wheel ended with %v, want %v", reason, net.ErrClosed)
		}
	})
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

// A listener that others may have, too, makes ordinary connections.
func TestLean_NotOfAListener(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l, Lean: true}}
		s.begin = func(*kernel.Context) error { s.dial(); return nil }
		s.conn = func(_ *kernel.Context, conn net.Conn) {
			if _, ok := conn.(*net.TCPConn); !ok {
				t.Errorf("the connection is a %T", conn)
			}
			s.factory.Close()
		}
		run(t, k, s.session())
	})
}

// Closed from elsewhere while its wheel is at work: the wheel ends or goes on to the
// peer's end, and never touches the descriptor's next owner.
func TestLean_ClosedByOthers(t *testing.T) {
	for range 100 {
		near, far := leanly(t, "127.0.0.1:0")
		var others sync.WaitGroup
		others.Go(func() {
			for range 20 {
				_, _ = io.WriteString(far, "x\n")
			}
			_ = far.Close()
		})
		k := kernel.New(kernel.Config{})
		if _, err := k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				rw, err := wheel.NewReadWrite(c, near, lineConfig{Filter: filter.Line(), InputEvent: gotLine, CloseEvent: closed})
				if err != nil {
					return err
				}
				others.Go(func() { runtime.Gosched(); _ = near.Close() })
				return rw.Put("hello")
			}),
			session.On(gotLine, func(*kernel.Context, string) error { return nil }),
			session.On(closed, func(*kernel.Context, error) error { return nil }),
		)); err != nil {
			t.Fatal(err)
		}
		// That somebody else closed it may go unnoticed: see ReadWrite.Conn.
		others.Wait()
		k.Stop()
		if err := k.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Drain loses nobody who is connected, though nothing is accepted ahead.
func TestG9_LeanDrainTakesTheBacklog(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const clients = 20
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: "127.0.0.1:0", Lean: true}}
		s.begin = func(c *kernel.Context) error {
			s.factory.PauseAccept()
			for range clients {
				s.dial()
			}
			return carryOn.Yield(c, struct{}{})
		}
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			if s.conns != 0 {
				t.Errorf("%d connections during a pause", s.conns)
			}
			s.factory.Drain()
			if _, err := net.Dial("tcp", s.factory.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial after Drain: %v", err)
			}
			return nil
		})))
		if s.conns != clients {
			t.Errorf("%d connections, want %d", s.conns, clients)
		}
	})
}
