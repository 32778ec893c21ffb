package wheel_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	reset kernel.Event[wheel.Reset] = "reset"
	idle  kernel.Event[struct{}]    = "idle"
	ask   kernel.Event[handler]     = "ask"
)

type handler = func(c *kernel.Context)

type tailConfig = wheel.FollowTailConfig[string]

// never is a PollInterval for tests that must not need one.
const never = time.Hour

// follower is a session with a FollowTail, in a kernel that runs beside the test.
// The test waits for what the wheel tells, word by word.
type follower struct {
	t    *testing.T
	cfg  tailConfig
	ft   *wheel.FollowTail[string]
	said chan string
	line func(c *kernel.Context, s string) // beside saying it

	lease *kernel.Lease
	end   chan error
}

func newFollower(t *testing.T, cfg tailConfig) *follower {
	cfg.InputEvent, cfg.ErrorEvent, cfg.ResetEvent, cfg.CloseEvent = gotLine, failed, reset, closed
	if cfg.Filter == nil {
		cfg.Filter = filter.Line()
	}
	return &follower{t: t, cfg: cfg, said: make(chan string, 1000), end: make(chan error, 1)}
}

// follow starts a follower and sees to its end.
func follow(t *testing.T, k *kernel.Kernel, cfg tailConfig) *follower {
	t.Helper()
	f := newFollower(t, cfg)
	f.start(k)
	return f
}

func (f *follower) start(k *kernel.Kernel) {
	f.t.Helper()
	var err error
	if f.lease, err = k.SpawnHeld(f.session()); err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	go func() { f.end <- k.Run(ctx) }()
	f.t.Cleanup(func() {
		f.do(func(*kernel.Context) { f.ft.Close() })
		f.lease.Release()
		if err := <-f.end; err != nil {
			f.t.Errorf("Run: %v", err)
		}
		cancel()
	})
}

func (f *follower) say(format string, args ...any) { f.said <- fmt.Sprintf(format, args...) }

func (f *follower) session() *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			f.ft, err = wheel.NewFollowTail(c, f.cfg)
			return err
		}),
		session.On(ask, func(c *kernel.Context, g handler) error { g(c); return nil }),
		session.On(gotLine, func(c *kernel.Context, s string) error {
			if c.Wheel() != f.ft.ID() {
				f.t.Errorf("line from wheel %v, want %v", c.Wheel(), f.ft.ID())
			}
			if f.line != nil {
				f.line(c, s)
			}
			f.say("%s", s)
			return nil
		}),
		session.On(reset, func(_ *kernel.Context, r wheel.Reset) error {
			if r.Unfinished != nil {
				f.say("reset %s %q", r.Reason, r.Unfinished)
				return nil
			}
			f.say("reset %s", r.Reason)
			return nil
		}),
		session.On(idle, func(*kernel.Context, struct{}) error { f.say("idle"); return nil }),
		session.On(failed, func(_ *kernel.Context, e *wheel.Error) error {
			if e.Wheel != f.ft.ID() {
				f.t.Errorf("error of wheel %v, want %v", e.Wheel, f.ft.ID())
			}
			f.say("failed %s %s", e.Op, cause(e))
			return nil
		}),
		session.On(closed, func(_ *kernel.Context, err error) error { f.say("closed %s", cause(err)); return nil }),
	)
}

// do runs g in the session and waits for it.
func (f *follower) do(g handler) {
	f.t.Helper()
	done := make(chan struct{})
	if err := f.lease.Post(ask.Name(), func(c *kernel.Context) { defer close(done); g(c) }); err != nil {
		f.t.Errorf("post: %v", err)
		return
	}
	select {
	case <-done:
	case <-time.After(patience):
		f.t.Errorf("the session does not answer")
	}
}

// want waits for exactly these words, in this order.
func (f *follower) want(words ...string) {
	f.t.Helper()
	for i, w := range words {
		select {
		case got := <-f.said:
			if got != w {
				f.t.Fatalf("told %q, want %q (%d of %q)", got, w, i+1, words)
			}
		case <-time.After(patience):
			f.t.Fatalf("told nothing, want %q (%d of %q)", w, i+1, words)
		}
	}
}

// tails runs a test in kernels of all modes, told of changes by the system and by
// polling alone.
func tails(t *testing.T, f func(t *testing.T, k *kernel.Kernel, cfg tailConfig)) {
	t.Helper()
	for _, poll := range []bool{false, true} {
		play := func(t *testing.T, k *kernel.Kernel) {
			path := filepath.Join(t.TempDir(), "log")
			f(t, k, tailConfig{Filename: path, Poll: poll, PollInterval: 5 * time.Millisecond})
		}
		inModes(t, play)
		t.Run("simulated", func(t *testing.T) {
			play(t, kernel.New(kernel.Config{Mode: kernel.Simulated, Seed: 1, Observer: strict(t), Debug: true}))
		})
	}
}

// write makes a file, or a new one in the place of another.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// grow appends to a file that must be there.
func grow(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = file.WriteString(text)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// numbered is n lines.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}
