package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// limit is how long any test here may take before it counts as hung.
const limit = time.Minute

var modes = []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated}

// serialModes are those with one order of events for the whole kernel.
var serialModes = []kernel.Mode{kernel.Serial, kernel.Simulated}

func eachMode(t *testing.T, f func(t *testing.T, m kernel.Mode)) {
	t.Helper()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) { f(t, m) })
	}
}

// table is the plainest receiver: an event's name to its handler.
type table map[string]kernel.Handler

var _ kernel.Receiver = table(nil)

func (t table) Receive(c *kernel.Context) error {
	if h := t[c.Event()]; h != nil {
		return h(c)
	}
	c.Unhandled()
	return nil
}

// nop is a session without handlers.
var nop = table{}

// fixture is a kernel under test and what its observer heard.
type fixture struct {
	*kernel.Kernel
	t        testing.TB
	watchdog *time.Timer

	unhandled, dropped, spawned, stopped, failed, services atomic.Int64

	mu      sync.Mutex
	notes   []string
	reasons map[string]int // "event: reason" of drops
}

// boot makes a kernel whose hanging fails the test with every goroutine's stack.
func boot(t testing.TB, m kernel.Mode, with ...func(*kernel.Config)) *fixture {
	t.Helper()
	k := &fixture{t: t, reasons: make(map[string]int)}
	cfg := kernel.Config{Mode: m, Observer: &kernel.Observer{
		Unhandled: func(kernel.Record) { k.unhandled.Add(1) },
		Dropped: func(r kernel.Record, why kernel.Reason) {
			k.dropped.Add(1)
			k.mu.Lock()
			k.reasons[r.Event+": "+string(why)]++
			k.mu.Unlock()
		},
		Spawned: func(_, _ kernel.Address) { k.spawned.Add(1) },
		Stopped: func(kernel.Address) { k.stopped.Add(1) },
		Failed:  func(*kernel.Exception) { k.failed.Add(1) },
	}}
	for _, f := range with {
		f(&cfg)
	}
	k.Kernel = kernel.New(cfg)
	watchdog := time.AfterFunc(limit, func() {
		buf := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "%s hangs\n%s\n", t.Name(), buf[:runtime.Stack(buf, true)])
		for i, a := range k.Sessions() {
			if i == 50 {
				break
			}
			fmt.Fprint(os.Stderr, k.Explain(a))
		}
		panic(t.Name() + " hangs")
	})
	k.watchdog = watchdog
	t.Cleanup(func() { watchdog.Stop() })
	return k
}

func seed(n uint64) func(*kernel.Config) { return func(c *kernel.Config) { c.Seed = n } }
func workers(n int) func(*kernel.Config) { return func(c *kernel.Config) { c.Workers = n } }
func observer(o *kernel.Observer) func(*kernel.Config) {
	return func(c *kernel.Config) { c.Observer = o }
}

// run runs the kernel to its natural end and checks that nothing is left over.
func (k *fixture) run() {
	k.t.Helper()
	k.watchdog.Reset(limit)
	defer k.watchdog.Stop() // others may follow in this test
	if err := k.Run(context.Background()); err != nil {
		k.t.Fatalf("Run: %v", err)
	}
	k.clean()
}

// clean checks that nothing is left of any session.
func (k *fixture) clean() {
	k.t.Helper()
	left := k.Leftovers()
	for end := time.Now().Add(limit); len(left) == 1 && left["active"] > 0 && time.Now().Before(end); left = k.Leftovers() {
		runtime.Gosched() // a goroutine is still in Lease.Release
	}
	if len(left) > 0 {
		k.t.Errorf("left over after Run: %v", left)
	}
}

func (k *fixture) spawn(r kernel.Receiver, opts ...kernel.SpawnOption) kernel.Address {
	k.t.Helper()
	a, err := k.Spawn(r, opts...)
	if err != nil {
		k.t.Fatalf("Spawn: %v", err)
	}
	return a
}

// service spawns a session that lives until the kernel is idle (K44).
func (k *fixture) service(r kernel.Receiver) kernel.Address {
	k.t.Helper()
	return k.spawn(r, kernel.Alias(fmt.Sprint("service ", k.services.Add(1))))
}

// note appends to the fixture's journal, from any goroutine.
func (k *fixture) note(format string, args ...any) {
	k.mu.Lock()
	k.notes = append(k.notes, fmt.Sprintf(format, args...))
	k.mu.Unlock()
}

// noting is a handler that notes a fixed text.
func (k *fixture) noting(text string) kernel.Handler {
	return func(*kernel.Context) error { k.note("%s", text); return nil }
}

func (k *fixture) journal() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.notes)
}

// wantNotes compares the journal with what is expected, in order.
func (k *fixture) wantNotes(want ...string) {
	k.t.Helper()
	if got := k.journal(); !slices.Equal(got, want) {
		k.t.Errorf("journal:\n got %s\nwant %s", strings.Join(got, " | "), strings.Join(want, " | "))
	}
}

// wantSet compares the journal with what is expected, in any order.
func (k *fixture) wantSet(want ...string) {
	k.t.Helper()
	got := k.journal()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		k.t.Errorf("journal in any order:\n got %s\nwant %s", strings.Join(got, " | "), strings.Join(want, " | "))
	}
}

func (k *fixture) wantDrops(want map[string]int) {
	k.t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if !maps.Equal(k.reasons, want) {
		k.t.Errorf("dropped %v, want %v", k.reasons, want)
	}
}

// until waits for a condition that another goroutine is about to make true.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !cond(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// launch starts a program of the system; where there is none of that name, the
// test is skipped.
func launch(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	switch err := cmd.Start(); {
	case errors.Is(err, exec.ErrNotFound):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// must fails the handler, and so the test's Run.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
