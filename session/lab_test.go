package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

var errBoom = errors.New("boom")

// lab is a kernel, the machine under test, and what was seen.
type lab struct {
	*kernel.Kernel
	t    *testing.T
	mode kernel.Mode
	m    *session.Machine

	mu     sync.Mutex
	notes  []string
	failed []error
}

// everyWay runs f simulated with 20 seeds, serial and parallel.
func everyWay(t *testing.T, f func(l *lab), opts ...kerneltest.Option) {
	t.Helper()
	kerneltest.Seeds(t, 20, func(t *testing.T, seed uint64) {
		k := kerneltest.New(t, append([]kerneltest.Option{kerneltest.Seed(seed)}, opts...)...)
		f(&lab{Kernel: k, t: t, mode: kernel.Simulated})
	})
	for _, m := range []kernel.Mode{kernel.Serial, kernel.Parallel} {
		t.Run(m.String(), func(t *testing.T) {
			k := kerneltest.New(t, append([]kerneltest.Option{kerneltest.Mode(m)}, opts...)...)
			f(&lab{Kernel: k, t: t, mode: m})
		})
	}
}

// machine makes the machine under test. Its failures are noted and handled.
func (l *lab) machine(start session.StateName, parts ...session.Part) *session.Machine {
	l.m = session.NewMachine(start, append(parts,
		session.Handle("_start", l.survive),
		session.Handle("_die", l.die),
	)...)
	return l.m
}

// survive has failures noted instead of ending the kernel.
func (l *lab) survive(c *kernel.Context) error { c.Sig("DIE", "_die"); return nil }

func (l *lab) die(c *kernel.Context) error {
	l.mu.Lock()
	l.failed = append(l.failed, c.Arg(1).(error))
	l.mu.Unlock()
	c.SigHandled()
	return nil
}

func (l *lab) note(format string, args ...any) {
	l.mu.Lock()
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
	l.mu.Unlock()
}

// see notes state, event and arguments.
func (l *lab) see(c *kernel.Context) error {
	l.note("%s: %s%v", l.m.Current(), c.Event(), c.Args())
	return nil
}

// run runs the kernel to its end.
func (l *lab) run() {
	l.t.Helper()
	kerneltest.Run(l.t, l.Kernel)
}

// want compares what was noted with "state: event[arguments]" lines, and expects
// that nothing failed that wantFailed has not taken.
func (l *lab) want(lines ...string) {
	l.t.Helper()
	if !slices.Equal(l.notes, lines) {
		l.t.Errorf("seen\n got %s\nwant %s", strings.Join(l.notes, " | "), strings.Join(lines, " | "))
	}
	for _, err := range l.failed {
		l.t.Errorf("failed: %v", err)
	}
}

// wantFailed expects one failure, of that kind and with that text, and takes it.
func (l *lab) wantFailed(kind error, text string) {
	l.t.Helper()
	if len(l.failed) != 1 || !errors.Is(l.failed[0], kind) || !strings.Contains(l.failed[0].Error(), text) {
		l.t.Errorf("failed: %v, want once %v with %q", l.failed, kind, text)
	}
	l.failed = nil
}

func (l *lab) wantState(want session.StateName) {
	l.t.Helper()
	if got := l.m.Current(); got != want {
		l.t.Errorf("in state %q, want %q", got, want)
	}
}

// do is a handler of one event, run by f.
func do(event string, f func(c *kernel.Context)) session.State {
	return session.Handle(event, func(c *kernel.Context) error { f(c); return nil })
}

// wantErr expects an error of a kind, with a text.
func wantErr(t testing.TB, err, kind error, text string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want %v with %q", err, kind, text)
	}
}
