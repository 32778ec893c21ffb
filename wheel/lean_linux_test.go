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
	for i := range 100 {
		near, far := leanly(t, "127.0.0.1:0")
		var others sync.WaitGroup
		running := make(chan struct{})
		others.Go(func() {
			<-running
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
				others.Go(func() {
					<-running
					for range i {
						runtime.Gosched()
					}
					_ = near.Close()
				})
				return rw.Put("hello")
			}),
			session.On(gotLine, func(*kernel.Context, string) error { return nil }),
			session.On(closed, func(*kernel.Context, error) error { return nil }),
		)); err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- k.Run(t.Context()) }()
		close(running)
		others.Wait()
		k.Stop() // that somebody else closed it may go unnoticed: see ReadWrite.Conn
		if err := <-end; err != nil {
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
