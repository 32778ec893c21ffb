package wheel_test

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// countedListener says when so many connections have been accepted from it.
type countedListener struct {
	net.Listener
	mu   sync.Mutex
	left int
	all  chan struct{}
}

func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		if l.left--; l.left == 0 {
			close(l.all)
		}
		l.mu.Unlock()
	}
	return conn, err
}

// Drain delivers what was accepted, and nothing is accepted after it.
func TestG9_DrainLosesNoConnection(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const clients = 5
		real, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &countedListener{Listener: real, left: clients, all: make(chan struct{})}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l}}
		s.begin = func(c *kernel.Context) error { return carryOn.Yield(c, struct{}{}) }
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			for range clients {
				s.dial()
			}
			<-l.all
			s.factory.PauseAccept()
			s.factory.Drain()
			s.factory.Drain()
			s.factory.PauseAccept()
			if _, err := net.Dial("tcp", real.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial after Drain: %v", err)
			}
			return nil
		})))
		if s.conns != clients {
			t.Errorf("%d connections were delivered, want %d", s.conns, clients)
		}
		s.want("closed nil")
	})
}

// With NoneAhead a connection that slipped in before a pause does not wait for
// the end of the pause.
func TestW50_NoneAheadDeliversWhatSlippedIn(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		real, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &countedListener{Listener: real, left: 1, all: make(chan struct{})}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l, Ahead: wheel.NoneAhead}}
		s.begin = func(c *kernel.Context) error { return carryOn.Yield(c, struct{}{}) }
		s.conn = func(*kernel.Context, net.Conn) { s.factory.Close() }
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			s.dial()
			<-l.all
			s.factory.PauseAccept()
			return nil
		})))
		if s.conns != 1 {
			t.Errorf("%d connections were delivered, want 1", s.conns)
		}
	})
}
