package wheel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// patience bounds every wait of these tests; nothing waits for it when all is well.
const patience = time.Minute

const (
	gotConn  kernel.Event[net.Conn]     = "got_conn"
	gotLine  kernel.Event[string]       = "got_line"
	failed   kernel.Event[*wheel.Error] = "failed"
	closed   kernel.Event[error]        = "closed"
	flushed  kernel.Event[struct{}]     = "flushed"
	full     kernel.Event[struct{}]     = "full"
	drained  kernel.Event[struct{}]     = "drained"
	carryOn  kernel.Event[struct{}]     = "carry_on"
	tryAgain kernel.Event[struct{}]     = "try_again"
)

type lineConfig = wheel.ReadWriteConfig[string, string]

type lineWheel = wheel.ReadWrite[string, string]

// inModes runs a test under a parallel and a serial kernel. What nobody handles
// or what is dropped fails the test.
func inModes(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	t.Helper()
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) {
			f(t, kernel.New(kernel.Config{Mode: mode, Observer: strict(t)}))
		})
	}
}

func strict(t *testing.T) *kernel.Observer {
	return &kernel.Observer{
		Unhandled: func(r kernel.Record) { t.Errorf("unhandled event %q to %v", r.Event, r.To) },
		Dropped: func(r kernel.Record, why kernel.Reason) {
			t.Errorf("dropped event %q to %v: %v", r.Event, r.To, why)
		},
	}
}

// run spawns the sessions and waits for the kernel's end.
func run(t *testing.T, k *kernel.Kernel, sessions ...*session.Session) {
	t.Helper()
	for _, s := range sessions {
		if _, err := k.Spawn(s); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// peer is the far end of a connection, used the blocking way by a test's goroutine.
type peer struct {
	net.Conn
	t *testing.T
}

// connect returns the two ends of a connection over a real socket.
func connect(t *testing.T, network string) (net.Conn, *peer) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "socket")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	_ = far.SetDeadline(time.Now().Add(patience))
	return near, &peer{far, t}
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Errorf("peer writes: %v", err)
	}
}

// rest reads to the end.
func (p *peer) rest() string {
	p.t.Helper()
	b, err := io.ReadAll(p)
	if err != nil {
		p.t.Errorf("peer reads: %v", err)
	}
	return string(b)
}

func (p *peer) read(n int) string {
	p.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(p, b); err != nil {
		p.t.Errorf("peer reads %d bytes: %v", n, err)
	}
	return string(b)
}

func (p *peer) closeWrite() {
	p.t.Helper()
	if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		p.t.Errorf("peer half closes: %v", err)
	}
}

// beside runs f beside the kernel and waits for it at the test's end.
func beside(t *testing.T, f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	t.Cleanup(func() { <-done })
}

// host is a session with one wheel on conn. It notes what the wheel tells it, as
// one string per event.
type host struct {
	t    *testing.T
	conn net.Conn
	cfg  lineConfig
	rw   *lineWheel
	log  []string

	begin     func(c *kernel.Context) error           // after the wheel was made
	line      func(c *kernel.Context, s string) error // instead of noting it
	onFail    func(c *kernel.Context, e *wheel.Error) // beside noting it
	onFull    func()                                  // likewise
	onFlushed func()
	more      []session.State
}

func newHost(t *testing.T, conn net.Conn) *host {
	return &host{t: t, conn: conn, cfg: lineConfig{
		Filter: filter.Line(), InputEvent: gotLine, ErrorEvent: failed, CloseEvent: closed,
	}}
}

func (h *host) note(format string, args ...any) { h.log = append(h.log, fmt.Sprintf(format, args...)) }

func (h *host) session() *session.Session {
	return session.New(append(h.more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			if h.rw, err = wheel.NewReadWrite(c, h.conn, h.cfg); err != nil {
				return err
			}
			if h.begin != nil {
				return h.begin(c)
			}
			return nil
		}),
		session.On(gotLine, func(c *kernel.Context, s string) error {
			if c.Wheel() != h.rw.ID() {
				h.t.Errorf("line from wheel %v, want %v", c.Wheel(), h.rw.ID())
			}
			if h.line != nil {
				return h.line(c, s)
			}
			h.note("line %s", s)
			return nil
		}),
		session.On(failed, func(c *kernel.Context, e *wheel.Error) error {
			h.note("%s %s", e.Op, cause(e))
			if h.onFail != nil {
				h.onFail(c, e)
			}
			return nil
		}),
		session.On(closed, func(_ *kernel.Context, err error) error { h.note("closed %s", cause(err)); return nil }),
		session.On(flushed, func(*kernel.Context, struct{}) error {
			h.note("flushed")
			if h.onFlushed != nil {
				h.onFlushed()
			}
			return nil
		}),
		session.On(full, func(*kernel.Context, struct{}) error {
			h.note("full")
			if h.onFull != nil {
				h.onFull()
			}
			return nil
		}),
		session.On(drained, func(*kernel.Context, struct{}) error { h.note("drained"); return nil }),
	)...)
}

// cause is an error in a word or two.
func cause(err error) string {
	switch {
	case err == nil:
		return "nil"
	case errors.Is(err, filter.ErrUnusable):
		return "unusable"
	case errors.Is(err, filter.ErrTooLong):
		return "too long"
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

func (h *host) want(log ...string) {
	h.t.Helper()
	if !slices.Equal(h.log, log) {
		h.t.Errorf("events:\n %q\nwant:\n %q", h.log, log)
	}
}

func onCarryOn(f func()) session.State {
	return session.On(carryOn, func(*kernel.Context, struct{}) error { f(); return nil })
}
