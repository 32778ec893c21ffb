package wheel_test

import (
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// tried is a wheel.PollableListener of a function.
type tried struct {
	accept func() (net.Conn, error)

	mu         sync.Mutex
	acceptable func()
	closes     int
}

var _ wheel.PollableListener = (*tried)(nil)

func (l *tried) TryAccept() (net.Conn, error) { return l.accept() }
func (l *tried) Accept() (net.Conn, error)    { panic("nobody waits for a PollableListener") }
func (l *tried) Addr() net.Addr               { return &net.UnixAddr{Name: "tried", Net: "memory"} }

func (l *tried) Notify(acceptable func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acceptable = acceptable
}

func (l *tried) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closes++
	return nil
}

// A system without descriptors is asked again after waits that grow, by the kernel's
// clock, and is reported once for each time that it runs short; lost connections are
// passed over, and what is no listener any more is the end.
func TestW49_AcceptErrorsByTheKernelsClock(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		k := kerneltest.New(t, kerneltest.Seed(seed))
		script := []error{
			nil, syscall.ECONNABORTED, syscall.EMFILE, syscall.EMFILE, syscall.ENFILE, syscall.EMFILE, syscall.EMFILE,
			syscall.EMFILE, nil, syscall.ENOMEM, nil, wheel.ErrAgain, nil, syscall.EBADF,
		}
		var at []time.Duration // when was it asked
		l := new(tried)
		l.accept = func() (net.Conn, error) {
			at = append(at, k.Now().Sub(kerneltest.Epoch)/time.Millisecond)
			err := script[0]
			script = script[1:]
			switch err {
			case nil:
				return new(tracked), nil
			case wheel.ErrAgain:
				k.AfterFunc(time.Hour, func() { l.acceptable() })
				return nil, err
			}
			return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
		}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l}}
		s.conn = func(*kernel.Context, net.Conn) { s.note("connection") }
		if _, err := k.Spawn(s.session()); err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		s.want("connection", "accept too many open files", "connection", "accept cannot allocate memory", "connection",
			"connection", "accept bad file descriptor", "closed bad file descriptor")
		const hour = 3_600_000
		want := []time.Duration{0, 0, 0, 100, 300, 700, 1500, 2500, 3500, 3500, 3600, 3600, 3600 + hour, 3600 + hour}
		for i := range at {
			if len(at) != len(want) || at[i] != want[i] {
				t.Fatalf("asked at %d ms, want %d", at, want)
			}
		}
		if l.closes == 0 || l.acceptable != nil {
			t.Error("the listener was not closed, or still has somebody to tell")
		}
	})
}

// While paused nobody is asked for; Drain takes those who are there.
func TestW50_G9_PauseAndDrainOfAListenerInMemory(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		waiting := 3
		l := new(tried)
		l.accept = func() (net.Conn, error) {
			if waiting == 0 {
				return nil, wheel.ErrAgain
			}
			waiting--
			return new(tracked), nil
		}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l}}
		s.conn = func(c *kernel.Context, _ net.Conn) {
			if s.conns == 1 {
				s.factory.PauseAccept()
				s.must(carryOn.Yield(c, struct{}{}))
			}
		}
		k := kerneltest.New(t, kerneltest.Seed(seed))
		_, err := k.Spawn(s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			if s.conns != 1 || waiting != 2 {
				t.Errorf("while paused: %d connections, %d wait", s.conns, waiting)
			}
			s.factory.Drain()
			if l.closes == 0 {
				t.Error("Drain left the listener open")
			}
			return nil
		})))
		if err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		if s.want("closed nil"); s.conns != 3 {
			t.Errorf("%d connections, want 3", s.conns)
		}
	})
}

// However many come, silent ones hold up a bounded number of handshakes; the rest
// waits outside.
func TestG12_HandshakesAreBounded(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		server, _ := certified()
		const most = 1024
		asked := 0
		full := make(chan struct{})
		l := new(tried)
		l.accept = func() (net.Conn, error) {
			if asked++; asked == most {
				close(full)
			}
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			return near, nil
		}
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Listener: l, TLS: server}}
		s.begin = func(c *kernel.Context) error {
			lease := c.Lease("to look")
			beside(t, func() {
				<-full
				s.must(lease.Post(carryOn.Name(), struct{}{}))
				lease.Release()
			})
			return nil
		}
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			if asked != most {
				t.Errorf("%d handshakes were begun, want %d", asked, most)
			}
			s.factory.Close()
			return nil
		})))
		s.want()
	})
}
