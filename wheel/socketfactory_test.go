package wheel_test

import (
	"context"
	"errors"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// listening is a session with a SocketFactory that notes its events.
type listening struct {
	host
	cfg     wheel.SocketFactoryConfig
	factory *wheel.SocketFactory
	conns   int
	begin   func(c *kernel.Context) error
	conn    func(c *kernel.Context, conn net.Conn)
	failed  func(*wheel.Error) // beside noting it
}

func (s *listening) session(more ...session.State) *session.Session {
	return session.New(append(more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			s.cfg.SuccessEvent, s.cfg.FailureEvent, s.cfg.CloseEvent = gotConn, failed, closed
			if s.factory, err = wheel.NewSocketFactory(c, s.cfg); err != nil || s.begin == nil {
				return err
			}
			return s.begin(c)
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			if c.Wheel() != s.factory.ID() {
				s.t.Errorf("connection from wheel %v, want %v", c.Wheel(), s.factory.ID())
			}
			s.conns++
			if s.conn != nil {
				s.conn(c, conn)
			}
			return conn.Close()
		}),
		session.On(failed, func(_ *kernel.Context, e *wheel.Error) error {
			s.note("%s %s", e.Op, cause(e))
			if s.failed != nil {
				s.failed(e)
			}
			return nil
		}),
		session.On(closed, func(_ *kernel.Context, err error) error { s.note("closed %s", cause(err)); return nil }),
	)...)
}

func TestW41_W46_AddrIsKnownAndLoopbackByDefault(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		for _, bind := range []wheel.SocketFactoryConfig{
			{BindAddress: ":0"}, {Network: "tcp4", BindAddress: ":0"}, {BindAddress: "127.0.0.1:0"},
		} {
			s := &listening{host: host{t: t}, cfg: bind}
			s.begin = func(*kernel.Context) error {
				at := s.factory.Addr().(*net.TCPAddr)
				if !at.IP.IsLoopback() || at.Port == 0 {
					t.Errorf("%q listens on %v", bind.BindAddress, at)
				}
				s.factory.Close()
				if _, err := net.Dial("tcp", at.String()); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("dial after Close: %v; want the listener closed", err)
				}
				return nil
			}
			run(t, k, s.session())
			s.want()
		}
	})
}

func TestW38_ListenFailureIsTheConstructors(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: taken.Addr().String()}}
		_, err = k.Spawn(s.session())
		var e *wheel.Error
		if !errors.As(err, &e) || e.Op != "listen" || !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listening on a taken address: %v", err)
		}
	})
}

func TestW38_SocketFactoryConfigIsChecked(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		bad := map[string]wheel.SocketFactoryConfig{
			"SuccessEvent":   {BindAddress: ":0"},
			"Network":        {SuccessEvent: gotConn, BindAddress: ":0", Network: "ip4"},
			"BindAddress":    {SuccessEvent: gotConn},
			"BindAddress is": {SuccessEvent: gotConn, BindAddress: "8080"},
			"ConnectTimeout": {SuccessEvent: gotConn, RemoteAddress: "127.0.0.1:1", ConnectTimeout: -1},
			"RemoteAddress":  {SuccessEvent: gotConn, RemoteAddress: "127.0.0.1"},
			"Listener":       {SuccessEvent: gotConn, RemoteAddress: "127.0.0.1:1", Listener: &fakeListener{}},
			"Listener is":    {SuccessEvent: gotConn, BindAddress: ":0", Listener: &fakeListener{}},
		}
		run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
			for field, cfg := range bad {
				_, err := wheel.NewSocketFactory(c, cfg)
				if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "SocketFactoryConfig."+field) {
					t.Errorf("%s: %v", field, err)
				}
			}
			return nil
		})))
	})
}

func TestW44_ConnectFailure(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nobody := l.Addr().String()
		_ = l.Close()
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{RemoteAddress: nobody}}
		run(t, k, s.session())
		s.want("connect connection refused", "closed connection refused")
	})
}

// network is a kernel.Network of functions.
type network struct {
	kernel.Network
	dial func(ctx context.Context) (net.Conn, error)
}

func (n network) Dial(ctx context.Context, _, _ string) (net.Conn, error) { return n.dial(ctx) }

func TestW45_ConnectTimeout(t *testing.T) {
	never := network{dial: func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }}
	k := kernel.New(kernel.Config{Network: never, Observer: strict(t)})
	s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
		RemoteAddress: "192.0.2.1:80", ConnectTimeout: time.Millisecond,
	}}
	run(t, k, s.session())
	s.want("connect ConnectTimeout passed", "closed ConnectTimeout passed")
}

// The longest time there is is no time that has passed.
func TestW45_LongestConnectTimeout(t *testing.T) {
	atOnce := network{dial: func(ctx context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { _ = far.Close() })
		return near, ctx.Err()
	}}
	k := kernel.New(kernel.Config{Network: atOnce, Observer: strict(t)})
	s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
		RemoteAddress: "192.0.2.1:80", ConnectTimeout: math.MaxInt64,
	}}
	run(t, k, s.session())
	s.want("closed nil")
}

// Close gives up the attempt; a connection that comes all the same is closed.
func TestW2_T34_CloseWhileConnecting(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		dialing := make(chan struct{})
		near, far := net.Pipe()
		k := kernel.New(kernel.Config{Mode: mode, Observer: strict(t), Network: network{
			dial: func(ctx context.Context) (net.Conn, error) {
				close(dialing)
				<-ctx.Done()
				return near, nil
			},
		}})
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{RemoteAddress: "192.0.2.1:80"}}
		s.begin = func(c *kernel.Context) error {
			lease := c.Lease("to close")
			beside(t, func() {
				<-dialing
				s.must(lease.Post(carryOn.Name(), struct{}{}))
				lease.Release()
			})
			return nil
		}
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			s.factory.Close()
			return nil
		})))
		s.want()
		if _, err := far.Read(make([]byte, 1)); err == nil {
			t.Error("the late connection was not closed")
		}
	}
}

func TestW42_ConnectFromALocalAddress(t *testing.T) {
	var asked string
	k := kernel.New(kernel.Config{Observer: strict(t), Network: network{dial: func(ctx context.Context) (net.Conn, error) {
		asked = kernel.LocalAddress(ctx)
		return nil, os.ErrPermission
	}}})
	s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{RemoteAddress: "a:1", BindAddress: "127.0.0.2"}}
	run(t, k, s.session())
	if asked != "127.0.0.2" {
		t.Errorf("dialled from %q", asked)
	}
}

// While paused, clients wait in the backlog; they are all served afterwards.
func TestW50_PauseAccept(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const clients = 5
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: ":0"}}
		s.begin = func(c *kernel.Context) error { return carryOn.Yield(c, struct{}{}) }
		s.conn = func(c *kernel.Context, _ net.Conn) {
			switch s.conns {
			case 1:
				s.factory.PauseAccept()
				for range clients - 1 {
					s.dial()
				}
				s.must(tryAgain.Yield(c, struct{}{}))
			case clients:
				s.factory.Close()
			}
		}
		run(t, k, s.session(
			session.On(carryOn, func(*kernel.Context, struct{}) error { s.dial(); return nil }),
			session.On(tryAgain, func(*kernel.Context, struct{}) error {
				if s.conns != 1 {
					t.Errorf("%d connections while paused", s.conns)
				}
				s.factory.ResumeAccept()
				return nil
			}),
		))
		if s.conns != clients {
			t.Errorf("%d connections, want %d", s.conns, clients)
		}
	})
}

func (s *listening) dial() {
	conn, err := net.Dial("tcp", s.factory.Addr().String())
	if err != nil {
		s.t.Errorf("dial: %v", err)
		return
	}
	s.t.Cleanup(func() { _ = conn.Close() })
}

// fakeListener accepts what a test scripts: an error, or with nil a connection.
type fakeListener struct {
	mu     sync.Mutex
	script []error
	closed chan struct{}
}

func script(errs ...error) *fakeListener {
	return &fakeListener{script: errs, closed: make(chan struct{})}
}

func (l *fakeListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.script) == 0 {
		<-l.closed
		return nil, net.ErrClosed
	}
	err := l.script[0]
	l.script = l.script[1:]
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "fake", Err: os.NewSyscallError("accept4", err)}
	}
	conn, _ := net.Pipe()
	return conn, nil
}

func (l *fakeListener) Close() error   { close(l.closed); return nil }
func (l *fakeListener) Addr() net.Addr { return &net.UnixAddr{Name: "fake", Net: "fake"} }

func TestW49_AcceptErrors(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l := script(syscall.ECONNABORTED, nil, syscall.EMFILE, syscall.EMFILE, nil, syscall.EBADF)
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l}}
		s.conn = func(*kernel.Context, net.Conn) { s.note("connection") }
		run(t, k, s.session())
		s.want("connection", "accept too many open files", "connection",
			"accept bad file descriptor", "closed bad file descriptor")
		select {
		case <-l.closed:
		default:
			t.Error("the listener is still open")
		}
	})
}

// A listener that somebody else closes ends the wheel without a failure.
func TestG11_ListenerClosedElsewhere(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l}}
		s.begin = func(*kernel.Context) error { return l.Close() }
		run(t, k, s.session())
		s.want("closed use of closed network connection")
	})
}

func TestG5_SessionsEndClosesTheListener(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: ":0"}}
		s.begin = func(c *kernel.Context) error { c.Stop(); return nil }
		run(t, k, s.session())
		if _, err := net.Dial("tcp", s.factory.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial after the session's end: %v", err)
		}
	})
}
