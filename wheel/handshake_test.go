package wheel_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// certified returns what a TLS server for 127.0.0.1 and its clients need.
var certified = sync.OnceValues(func() (server, client *tls.Config) {
	srv := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer srv.Close()
	return &tls.Config{Certificates: srv.TLS.Certificates},
		&tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
})

// Both sides are sessions; TLS is a field of each. Lines go there and back, and both
// directions end in good order.
func TestW43_W47_TLSOnBothSides(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		const n = 200
		var clients []*client
		srv := &echo{cfg: wheel.SocketFactoryConfig{BindAddress: ":0", TLS: server}, left: n}
		srv.ready = func(c *kernel.Context, at net.Addr) error {
			for range n {
				cl := &client{send: []string{"one", strings.Repeat("x", 20_000)}, want: 2}
				cl.cfg = wheel.SocketFactoryConfig{RemoteAddress: at.String(), TLS: trust}
				clients = append(clients, cl)
				if _, err := k.Spawn(cl.session()); err != nil {
					return err
				}
			}
			return nil
		}
		run(t, k, srv.session())
		for i, cl := range clients {
			if strings.Join(cl.got, ",") != strings.Join(cl.send, ",") || strings.Join(cl.log, "; ") != "factory nil; closed nil" {
				t.Errorf("client %d got %d lines; its log: %q", i, len(cl.got), cl.log)
			}
		}
		for _, e := range srv.errors {
			if e != "read EOF" {
				t.Errorf("server: %s", e)
			}
		}
	})
}

// One side ends its output with close_notify; the answer still comes.
func TestW16_W33_TLSHalfClose(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		near, far := newHost(t, nil), newHost(t, nil)
		far.cfg.HalfOpen = true
		far.onFail = func(*kernel.Context, *wheel.Error) { // the end of input
			far.must(far.rw.Put("you said " + far.log[0]))
			far.rw.CloseFlushed()
		}
		near.begin = func(*kernel.Context) error {
			near.must(near.rw.Put("question"))
			return near.rw.ShutdownOutput()
		}
		run(t, k, tlsServer(near, far, server, trust))
		far.want("line question", "read EOF", "closed nil")
		near.want("line you said line question", "read EOF", "closed nil")
	})
}

// CloseFlushed over TLS loses nothing.
func TestW33_TLSCloseFlushedDeliversAll(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		near, far := newHost(t, nil), newHost(t, nil)
		const n = 300
		far.begin = func(*kernel.Context) error {
			for range n {
				far.must(far.rw.Put(strings.Repeat("y", 10_000)))
			}
			far.rw.CloseFlushed()
			return nil
		}
		got := 0
		near.line = func(_ *kernel.Context, s string) error { got += len(s); return nil }
		run(t, k, tlsServer(near, far, server, trust))
		if got != n*10_000 {
			t.Errorf("%d bytes arrived, want %d", got, n*10_000)
		}
		near.want("read EOF", "closed nil")
		far.want("closed nil")
	})
}

// tlsServer is a session that has a server and a client, far's and near's connections.
func tlsServer(near, far *host, server, trust *tls.Config) *session.Session {
	var listens *wheel.SocketFactory
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			listens, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: ":0", SuccessEvent: gotConn, TLS: server})
			if err != nil {
				return err
			}
			_, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				RemoteAddress: listens.Addr().String(), SuccessEvent: gotConn, TLS: trust,
			})
			return err
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			h := near
			if c.Wheel() == listens.ID() {
				h = far
				listens.Close()
			}
			h.conn = conn
			_, err := c.Spawn(h.session())
			return err
		}),
		session.Handle("_child", func(*kernel.Context) error { return nil }),
	)
}

// strangers is a listener at which connections come without end, each of them hung
// up already.
type strangers struct {
	came, most int
	all        chan struct{} // closed when most have come
	closed     chan struct{}
}

func (s *strangers) Accept() (net.Conn, error) {
	if s.came == s.most {
		<-s.closed
		return nil, net.ErrClosed
	}
	if s.came++; s.came == s.most {
		close(s.all)
	}
	near, far := net.Pipe()
	return near, far.Close()
}

func (s *strangers) Close() error { close(s.closed); return nil }

func (*strangers) Addr() net.Addr { return &net.TCPAddr{} }

// However many handshakes fail while the owner is busy, what it is to be told of
// them is bounded: the rest wait in the backlog, and are not forgotten.
func TestG12_FailedHandshakesWaitForTheOwner(t *testing.T) {
	server, _ := certified()
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		from := &strangers{most: 64 + 1024 + 1, all: make(chan struct{}), closed: make(chan struct{})}
		var f *wheel.SocketFactory
		told := 0
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				f, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
					Listener: from, TLS: server, SuccessEvent: gotConn, FailureEvent: failed,
				})
				return errors.Join(err, carryOn.Yield(c, struct{}{}))
			}),
			onCarryOn(func() {
				select { // the owner does not look
				case <-from.all:
					t.Error("more connections were accepted than may wait")
				case <-time.After(300 * time.Millisecond):
				}
			}),
			session.On(failed, func(_ *kernel.Context, e *wheel.Error) error {
				if e.Op != "handshake" {
					t.Errorf("failure %v", e)
				}
				if told++; told == from.most {
					f.Close()
				}
				return nil
			}),
		))
		if told != from.most {
			t.Errorf("told of %d handshakes, want %d", told, from.most)
		}
	})
}

// Handshakes that fail are events of both sides, and the server goes on.
func TestW49_HandshakesThatFail(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		server = server.Clone()
		for name, try := range map[string]struct {
			server, client func(*tls.Config)
			want           [2]func(error) bool // of the server, of the client
		}{
			"wrong name": {
				client: func(c *tls.Config) { c.ServerName = "somebody.else" },
				want: [2]func(error) bool{remoteAlert, func(err error) bool {
					var e x509.HostnameError
					return errors.As(err, &e)
				}},
			},
			"unknown authority": {
				client: func(c *tls.Config) { c.RootCAs = x509.NewCertPool() },
				want: [2]func(error) bool{remoteAlert, func(err error) bool {
					var e x509.UnknownAuthorityError
					return errors.As(err, &e)
				}},
			},
			"no client certificate": {
				server: func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert; c.MaxVersion = tls.VersionTLS12 },
				want: [2]func(error) bool{func(err error) bool {
					return strings.Contains(err.Error(), "client didn't provide a certificate")
				}, remoteAlert},
			},
		} {
			t.Run(name, func(t *testing.T) {
				srv, cli := server.Clone(), trust.Clone()
				if try.server != nil {
					try.server(srv)
				}
				if try.client != nil {
					try.client(cli)
				}
				s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: ":0", TLS: srv}}
				c := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{TLS: cli}}
				judge := func(i int) func(*wheel.Error) {
					return func(e *wheel.Error) {
						if e.Op != "handshake" || !try.want[i](e.Err) {
							t.Errorf("side %d: %v", i, e)
						}
					}
				}
				s.begin = func(ctx *kernel.Context) error {
					c.cfg.RemoteAddress = s.factory.Addr().String()
					_, err := ctx.Spawn(c.session())
					return err
				}
				s.failed = func(e *wheel.Error) { judge(0)(e); s.factory.Drain() }
				c.failed = judge(1)
				run(t, k, s.session(session.Handle("_child", func(*kernel.Context) error { return nil })))
				if len(s.log) != 2 || s.log[1] != "closed nil" || len(c.log) != 2 || s.conns+c.conns != 0 {
					t.Errorf("the server's events %q, the client's %q; %d connections", s.log, c.log, s.conns+c.conns)
				}
			})
		}
	})
}

func remoteAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// With TLS 1.3 a client is connected before the server has refused its certificate.
func TestW49_W17_ClientRefusedAfterItsHandshake(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		server = server.Clone()
		server.ClientAuth = tls.RequireAnyClientCert
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: ":0", TLS: server}}
		near := newHost(t, nil)
		s.begin = func(c *kernel.Context) error {
			_, err := c.Spawn(session.New(
				session.Handle("_start", func(c *kernel.Context) error {
					_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
						RemoteAddress: s.factory.Addr().String(), SuccessEvent: gotConn, TLS: trust,
					})
					return err
				}),
				session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
					near.conn = conn
					_, err := c.Spawn(near.session())
					return err
				}),
				session.Handle("_child", func(*kernel.Context) error { return nil }),
			))
			return err
		}
		s.failed = func(e *wheel.Error) {
			if e.Op != "handshake" {
				t.Errorf("server: %v", e)
			}
			s.factory.Close()
		}
		run(t, k, s.session(session.Handle("_child", func(*kernel.Context) error { return nil })))
		if len(near.log) != 2 || !strings.HasPrefix(near.log[0], "read tls: certificate required") {
			t.Errorf("the client's events: %q", near.log)
		}
	})
}

// A client that speaks something else, one that says nothing, and one that leaves:
// the server drops each, says so, and serves the next one.
func TestW49_ClientsThatDoNotSpeakTLS(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
			BindAddress: ":0", TLS: server, HandshakeTimeout: 2 * time.Second,
		}}
		var reasons []error
		finish := func() {
			if len(reasons) == 3 && s.conns == 1 {
				s.factory.Close()
			}
		}
		s.failed = func(e *wheel.Error) { reasons = append(reasons, e); finish() }
		s.conn = func(*kernel.Context, net.Conn) { finish() }
		s.begin = func(*kernel.Context) error {
			beside(t, func() {
				for _, say := range []string{"GET / HTTP/1.0\r\n\r\n", "", "leave"} {
					conn, err := net.Dial("tcp", s.factory.Addr().String())
					if err != nil {
						t.Error(err)
						return
					}
					_ = conn.SetDeadline(time.Now().Add(patience))
					if say == "leave" {
						_ = conn.(*net.TCPConn).CloseWrite()
					} else {
						_, _ = io.WriteString(conn, say)
					}
					_, _ = io.Copy(io.Discard, conn) // until the server has closed it
					_ = conn.Close()
				}
				conn, err := tls.Dial("tcp", s.factory.Addr().String(), trust)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			})
			return nil
		}
		run(t, k, s.session())
		var header tls.RecordHeaderError
		all := errors.Join(reasons...) // in any order: a handshake's end is seen by its client first
		if len(reasons) != 3 || !errors.As(all, &header) || !errors.Is(all, syscall.ETIMEDOUT) || !errors.Is(all, io.EOF) {
			t.Errorf("failures: %v", reasons)
		}
		if s.conns != 1 {
			t.Errorf("%d connections", s.conns)
		}
	})
}

// A handshake that fails where as many go on as may, over a network in memory, makes
// room for the next connection at once, and not when another one ends.
func TestG12_FailedHandshakesMakeRoom(t *testing.T) {
	server, _ := certified()
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const most = 1024
		l, came, told := new(tried), 0, 0
		l.accept = func() (net.Conn, error) {
			near, far := net.Pipe()
			if came++; came > most+1 {
				return nil, wheel.ErrAgain
			}
			if came >= most { // those before say nothing
				_ = far.Close()
			}
			return near, nil
		}
		var f *wheel.SocketFactory
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				f, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
					Listener: l, TLS: server, SuccessEvent: gotConn, FailureEvent: failed, HandshakeTimeout: patience / 2,
				})
				return err
			}),
			session.On(failed, func(_ *kernel.Context, e *wheel.Error) error {
				if told++; told < 2 {
					return nil
				}
				if errors.Is(e, syscall.ETIMEDOUT) {
					t.Error("nobody else was let in before a silent one was given up")
				}
				f.Close()
				return nil
			}),
		))
	})
}
