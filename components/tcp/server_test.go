package tcp_test

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

func TestC3_AddressPortAndAlias(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		path := filepath.Join(t.TempDir(), "s")
		for _, cfg := range []serverConfig{
			{}, {Address: ":0"}, {Address: "127.0.0.1:0", Alias: "named"}, {Network: "tcp4", Address: "localhost:0"},
			{Network: "unix", Address: path}, {Listener: listen(t)},
		} {
			cfg.ClientInput = echo
			s := r.server(cfg)
			if at, ok := s.Addr().(*net.TCPAddr); ok && (at.Port == 0 || !at.IP.IsLoopback()) {
				t.Errorf("%+v listens at %v", cfg.Address, at)
			}
			if cfg.Alias != "" {
				if at, _ := r.k.Resolve("named"); at != s.Session() {
					t.Errorf("the alias names %v, want %v", at, s.Session())
				}
			}
			p := r.dial(s.Addr())
			p.send("hello\n")
			p.line("hello")
		}
	})
}

func TestC4_StartedRunsLastInStart(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Started = func(c *kernel.Context) error { r.note("started in %s", c.Event()); return nil }
		s := r.server(cfg)
		r.want("started in _start")
		cfg.Address = s.Addr().String()
		if _, err := tcp.NewServer(r.k, withFilter(cfg)); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a taken address: %v", err)
		}
		r.want("started in _start") // not for the one that cannot listen
		cfg.Address = ""
		cfg.Started = func(*kernel.Context) error { return errors.New("not today") }
		if _, err := tcp.NewServer(r.k, withFilter(cfg)); err == nil || !strings.Contains(err.Error(), "not today") {
			t.Errorf("Started failed, NewServer says %v", err)
		}
		if n := len(r.k.Sessions()); n != 1 {
			t.Errorf("%d sessions, want one server", n)
		}
	})
}

func TestC6_C7_C8_C11_ACallbacksSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		later := kernel.Event[string]("later")
		cfg.ClientConnected = func(c *kernel.Context, conn *conn) error {
			r.note("connected")
			if conn.Session() != c.Self() {
				t.Errorf("the callback runs in %v, its connection's session is %v", c.Self(), conn.Session())
			}
			if a := conn.RemoteAddrPort(); !a.Addr().IsLoopback() || a.Port() == 0 || conn.RemoteAddr().String() != a.String() {
				t.Errorf("remote %v, %v", a, conn.RemoteAddr())
			}
			conn.Heap = "mine"
			later.Delay(c, time.Millisecond, "timer") // the connection's own (C11)
			return nil
		}
		cfg.ClientStates = []state{tcp.On(later, func(c *kernel.Context, conn *conn, s string) error {
			r.note("%s of %v", s, conn.Heap)
			return nil
		})}
		s := r.server(cfg)
		p := r.dial(s.Addr())
		r.await("timer of mine")
		p.send("one\n")
		p.line("one")
		r.await("flushed")
		p.send("two\n")
		p.line("two")
		r.await("flushed", 2)
		p.Close()
		r.await("disconnected nil")
		r.want("preconnect", "connected", "timer of mine", "input one", "flushed", "input two", "flushed", "error read EOF", "disconnected nil")
	})
}

// A connection's session is a child of the server's, whose parent is who made it.
func TestC6_ChildOfTheServersSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		var s *tcp.Server
		cfg := r.noted()
		cfg.Filter = lines
		l, err := r.k.SpawnHeld(session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) { s, err = tcp.NewServer(c, cfg); return err }),
			session.Handle("_child", func(c *kernel.Context) error {
				if c.Arg(0) == "lose" {
					r.note("lost the server: %v", c.Arg(1) == s.Session())
				}
				return nil
			}),
		))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Release()
		p := r.dial(s.Addr())
		r.await("connected")
		r.until("the connection is a child", func() bool {
			return strings.Contains(r.k.Explain(s.Session()), "child #") && strings.Contains(r.k.Explain(l.Address()), "child "+string(s.Session()))
		})
		p.Close()
		r.await("disconnected nil")
		s.Shutdown()
		r.await("lost the server: true")
	})
}

func TestC7_UnixPeersHaveNoPort(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Network, cfg.Address = "unix", filepath.Join(t.TempDir(), "s")
		cfg.ClientConnected = func(_ *kernel.Context, conn *conn) error {
			r.note("%v %v", conn.RemoteAddr().Network(), conn.RemoteAddrPort().IsValid())
			return nil
		}
		r.dial(r.server(cfg).Addr())
		r.await("unix false")
	})
}

func TestC7_IPv6PeersHaveAnAddress(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	r := newRig(t, kernel.Parallel)
	cfg := r.noted()
	cfg.Listener = l
	cfg.ClientConnected = func(_ *kernel.Context, conn *conn) error { r.note("%v", conn.RemoteAddrPort().Addr()); return nil }
	r.dial(r.server(cfg).Addr())
	r.await("::1")
}

func TestC9_PreConnectRefusesOrWraps(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Concurrency = 1 // a slot that is not freed would stop the next one
		n := 0
		cfg.ClientPreConnect = func(_ *kernel.Context, nc net.Conn) (net.Conn, error) {
			if n++; n <= 3 {
				r.note("refused")
				return nil, nil
			}
			return &shouting{nc}, nil
		}
		s := r.server(cfg)
		for range 3 {
			r.dial(s.Addr()).end()
		}
		p := r.dial(s.Addr())
		p.send("hello\n")
		p.line("HELLO")
		r.await("flushed")
		r.want("refused", "refused", "refused", "connected", "input hello", "flushed")
		if st := s.State(); st.Refused != 3 || st.Connections != 1 || st.Accepted != 4 {
			t.Errorf("state %+v", st)
		}
	})
}

// shouting is a wrapper that PreConnect may put around a connection.
type shouting struct{ net.Conn }

func (s *shouting) Write(p []byte) (int, error) {
	return s.Conn.Write([]byte(strings.ToUpper(string(p))))
}

func TestC9_PreConnectFails(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported())
		cfg := r.noted()
		cfg.ClientPreConnect = func(*kernel.Context, net.Conn) (net.Conn, error) { return nil, errors.New("not you") }
		r.dial(r.server(cfg).Addr()).end()
		r.await("report: connection failed as it began: not you")
		r.want("report: connection failed as it began: not you")
	})
}

func TestC10_C23_ArgsForEachConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.SessionOptions = []kernel.SpawnOption{kernel.Args("a", 2)}
		cfg.ClientConnected = func(c *kernel.Context, _ *conn) error { r.note("%v %v", c.Arg(0), c.Arg(1)); return nil }
		s := r.server(cfg)
		r.dial(s.Addr())
		r.dial(s.Addr())
		r.await("a 2", 2)
	})
}

func TestC22_StatesOfConnections(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		add := kernel.Event[int]("add")
		cfg.ClientInput = func(c *kernel.Context, _ *conn, line string) error {
			return errors.Join(add.Yield(c, len(line)), c.Yield("what", 1), c.Post(c.Self(), "shutdown"))
		}
		cfg.ClientStates = []state{
			tcp.On(add, func(_ *kernel.Context, conn *conn, n int) error { return conn.Put(fmt.Sprint(n)) }),
			tcp.Handle("shutdown", func(_ *kernel.Context, conn *conn) error { return conn.Put("not yet") }), // overrides
			tcp.Handle("_default", func(c *kernel.Context, conn *conn) error { return conn.Put(fmt.Sprint(c.Args()...)) }),
			tcp.Handle("_stop", func(*kernel.Context, *conn) error { r.note("stop"); return nil }),
		}
		p := r.dial(r.server(cfg).Addr())
		p.send("hello\n")
		p.line("5")
		p.line("what[1]")
		p.line("not yet")
		p.Close()
		r.await("stop")
		if log := r.entries(); log[len(log)-2] != "disconnected nil" {
			t.Errorf("_stop is not the last: %q", log)
		}
	})
}

// A handler that a connection's session sets while it runs is found first, as in
// any session.
func TestC22_StateSetLater(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.ClientInput = func(c *kernel.Context, conn *conn, line string) error {
			c.State("shutdown", func(*kernel.Context) error { return conn.Put("no") })
			return tcp.Shutdown.Yield(c, struct{}{})
		}
		p := r.dial(r.server(cfg).Addr())
		p.send("x\n")
		p.line("no")
	})
}
