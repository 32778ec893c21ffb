package wheel_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// Drain waits for the handshakes that go on, and delivers what comes of them.
func TestG9_DrainWithHandshakesGoingOn(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		const clients = 20
		real, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &countedListener{Listener: real, left: clients, all: make(chan struct{})}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l, TLS: server}}
		s.begin = func(c *kernel.Context) error { return carryOn.Yield(c, struct{}{}) }
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			conns := silent(t, real.Addr(), clients)
			<-l.all
			s.factory.Drain()
			beside(t, func() {
				for i, conn := range conns {
					if i%4 == 0 { // and some never shake hands
						_ = conn.Close()
						continue
					}
					trust := trust.Clone()
					trust.ServerName = "127.0.0.1"
					if err := tls.Client(conn, trust).Handshake(); err != nil {
						t.Errorf("client %d: %v", i, err)
					}
				}
			})
			return nil
		})))
		if s.conns != clients*3/4 || len(s.log) != clients/4+1 || s.log[len(s.log)-1] != "closed nil" {
			t.Errorf("%d connections were delivered, of %d clients; %q", s.conns, clients, s.log)
		}
	})
}

// silent returns connections whose clients say nothing.
func silent(t *testing.T, at net.Addr, n int) (conns []net.Conn) {
	for range n {
		conn, err := net.Dial("tcp", at.String())
		if err != nil {
			t.Errorf("dial: %v", err)
			return conns
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	return conns
}

// Close in the middle of handshakes, of a server and of clients, leaves nothing.
func TestW2_G11_CloseDuringHandshakes(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		run(t, k, session.New(session.Handle("_start", func(*kernel.Context) error { return nil })))
		runtime.GC()
		goroutines, files := runtime.NumGoroutine(), descriptors(t)
		const clients = 20
		real, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &countedListener{Listener: real, left: 2 * clients, all: make(chan struct{})}
		mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
		if err != nil {
			t.Fatal(err)
		}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l, TLS: server}}
		var dials []*wheel.SocketFactory
		s.begin = func(c *kernel.Context) error {
			for range clients {
				f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
					RemoteAddress: mute.Addr().String(), SuccessEvent: gotConn, TLS: trust,
				})
				if err != nil {
					return err
				}
				dials = append(dials, f)
			}
			return carryOn.Yield(c, struct{}{})
		}
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			conns := silent(t, real.Addr(), 2*clients)
			<-l.all
			s.factory.Close()
			for _, f := range dials {
				f.Close()
			}
			for _, conn := range conns {
				_ = conn.SetDeadline(time.Now().Add(patience))
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("a connection was not closed")
				}
				_ = conn.Close()
			}
			return mute.Close()
		})))
		s.want()
		if n, ok := settled(runtime.NumGoroutine, goroutines); !ok {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if n, ok := settled(func() int { return descriptors(t) }, files); !ok {
			t.Errorf("%d descriptors, %d before", n, files)
		}
	})
}

func TestW38_TLSConfigIsChecked(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, trust := certified()
		bad := map[string]wheel.SocketFactoryConfig{
			"has no certificate": {BindAddress: ":0", TLS: trust},
			"TLS needs a stream": {BindAddress: ":0", Network: "udp", TLS: server},
			"has no ServerName":  {RemoteAddress: "/a/path", Network: "unix", TLS: trust},
			"HandshakeTimeout":   {BindAddress: ":0", TLS: server, HandshakeTimeout: -1},
		}
		run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
			for what, cfg := range bad {
				cfg.SuccessEvent = gotConn
				if _, err := wheel.NewSocketFactory(c, cfg); !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), what) {
					t.Errorf("%s: %v", what, err)
				}
			}
			return nil
		})))
	})
}
