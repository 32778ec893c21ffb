package wheel_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

const (
	gotInput kernel.Event[wheel.ReadLineInput] = "got_input"
	complete kernel.Event[*wheel.Completion]   = "complete"
)

// console is a session with a ReadLine. It notes the answers, and asks for the next
// line until Control-D.
type console struct {
	host
	cfg   wheel.ReadLineConfig
	rl    *wheel.ReadLine
	begin func(c *kernel.Context) error // instead of the first Get
	input func(c *kernel.Context, in wheel.ReadLineInput) error
	more  []session.State
}

func newConsole(t *testing.T, terminal io.ReadWriter) *console {
	return &console{host: host{t: t}, cfg: wheel.ReadLineConfig{Terminal: terminal, InputEvent: gotInput, CloseEvent: closed}}
}

func (s *console) session() *session.Session {
	return session.New(append(s.more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			if s.rl, err = wheel.NewReadLine(c, s.cfg); err != nil {
				return err
			}
			if s.begin != nil {
				return s.begin(c)
			}
			return s.rl.Get("> ")
		}),
		session.On(gotInput, func(c *kernel.Context, in wheel.ReadLineInput) error {
			if c.Wheel() != s.rl.ID() {
				s.t.Errorf("input from wheel %v, want %v", c.Wheel(), s.rl.ID())
			}
			s.noteInput(in)
			switch {
			case s.input != nil:
				return s.input(c, in)
			case in.Err == io.EOF:
				s.rl.CloseFlushed()
				return nil
			}
			return s.rl.Get("> ")
		}),
		session.On(closed, func(_ *kernel.Context, err error) error { s.note("closed %s", cause(err)); return nil }),
	)...)
}

func (s *console) noteInput(in wheel.ReadLineInput) {
	switch {
	case in.Err == nil:
		s.note("line %s", in.Text)
	case errors.Is(in.Err, wheel.ErrInterrupt):
		s.note("interrupt")
	case errors.Is(in.Err, wheel.ErrCancel):
		s.note("cancel")
	default:
		s.note("%s", cause(in.Err))
	}
}

// on returns what has the session run f and waits for it, a number of times.
func (s *console) on(c *kernel.Context, times int, f func(c *kernel.Context) error) (do func()) {
	lease := c.Lease("for the test")
	ran := make(chan struct{}, 1)
	c.State(carryOn.Name(), func(c *kernel.Context) error {
		defer func() { ran <- struct{}{} }()
		return f(c)
	})
	return func() {
		s.must(lease.Post(carryOn.Name(), struct{}{}))
		<-ran
		if times--; times == 0 {
			lease.Release()
		}
	}
}

// lineTerminal returns a terminal without a device, and its user.
func lineTerminal(t *testing.T) (net.Conn, *typist) {
	near, far := net.Pipe()
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	_ = far.SetWriteDeadline(time.Now().Add(patience))
	return near, sit(t, far, 80)
}

// device returns a real terminal, and its user.
func device(t *testing.T) (*os.File, *typist) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close(); _ = master.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	return tty, sit(t, master, 80)
}

// inAllModes is inModes with a simulated kernel for some seeds.
func inAllModes(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	t.Helper()
	inModes(t, f)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("simulated ", seed), func(t *testing.T) {
			f(t, kernel.New(kernel.Config{Mode: kernel.Simulated, Seed: seed, Observer: strict(t)}))
		})
	}
}

// onTerminals runs a test in all modes, on both kinds of terminals.
func onTerminals(t *testing.T, f func(t *testing.T, k *kernel.Kernel, s *console, u *typist)) {
	t.Helper()
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		t.Run("memory", func(t *testing.T) {
			terminal, u := lineTerminal(t)
			f(t, k, newConsole(t, terminal), u)
		})
		t.Run("device", func(t *testing.T) {
			terminal, u := device(t)
			f(t, k, newConsole(t, terminal), u)
		})
	})
}
