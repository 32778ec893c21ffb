package wheel_test

import (
	"os"
	"slices"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	gotBytes  kernel.Event[[]byte]           = "got_bytes"
	gotOut    kernel.Event[string]           = "got_out"
	gotErr    kernel.Event[string]           = "got_err"
	sentStdin kernel.Event[struct{}]         = "sent_stdin"
	exited    kernel.Event[*os.ProcessState] = "exited"
)

// parent is a session with one Run. It notes what the wheel tells it.
type parent struct {
	host
	cfg   wheel.RunConfig
	run   *wheel.Run
	begin func(c *kernel.Context) error
	out   func(c *kernel.Context, s string) error
	bytes []byte // of gather

	onFailed, onExit func(c *kernel.Context) error // beside noting it
	onSent           func(c *kernel.Context)
	onClosed         func()
}

func newParent(t *testing.T, cfg wheel.RunConfig) *parent {
	cfg.StdoutEvent, cfg.StderrEvent, cfg.ErrorEvent = gotOut, gotErr, failed
	cfg.ExitEvent, cfg.CloseEvent = exited, closed
	return &parent{host: host{t: t}, cfg: cfg}
}

func (p *parent) session(more ...session.State) *session.Session {
	return session.New(append(more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			if p.run, err = wheel.NewRun(c, p.cfg); err != nil || p.begin == nil {
				return err
			}
			return p.begin(c)
		}),
		session.On(gotOut, func(c *kernel.Context, s string) error {
			if p.out != nil {
				return p.out(c, s)
			}
			p.note("out %s", s)
			return nil
		}),
		session.On(gotErr, func(_ *kernel.Context, s string) error { p.note("err %s", s); return nil }),
		session.On(sentStdin, func(c *kernel.Context, _ struct{}) error {
			p.note("stdin sent")
			if p.onSent != nil {
				p.onSent(c)
			}
			return nil
		}),
		session.On(failed, func(c *kernel.Context, e *wheel.Error) error {
			p.note("%s %s %s", e.Op, e.Stream, cause(e))
			if p.onFailed != nil {
				return p.onFailed(c)
			}
			return nil
		}),
		session.On(gotBytes, func(_ *kernel.Context, b []byte) error { p.bytes = append(p.bytes, b...); return nil }),
		session.On(exited, func(c *kernel.Context, s *os.ProcessState) error {
			p.note("exit %v", s)
			if p.onExit != nil {
				return p.onExit(c)
			}
			return nil
		}),
		session.On(closed, func(_ *kernel.Context, err error) error {
			p.note("closed %s", cause(err))
			if p.onClosed != nil {
				p.onClosed()
			}
			return nil
		}),
	)...)
}

// gather has the output come as it is, and returns what tells all of it.
func (p *parent) gather() func() string {
	p.cfg.StdoutEvent, p.cfg.Stdout = "", wheel.Decode(filter.Stream(), gotBytes)
	return func() string { return string(p.bytes) }
}

// wantSet compares events whose order is free, and insists on the last one.
func (p *parent) wantSet(last string, others ...string) {
	p.t.Helper()
	log := slices.Clone(p.log)
	want := append(slices.Clone(others), last)
	if n := len(log); n == 0 || log[n-1] != last {
		p.t.Errorf("last of %q, want %q", log, last)
	}
	slices.Sort(log)
	slices.Sort(want)
	if !slices.Equal(log, want) {
		p.t.Errorf("events, sorted:\n %q\nwant:\n %q", log, want)
	}
}
