package kerneltest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Option changes what New makes.
type Option func(*options)

type options struct {
	cfg                                           kernel.Config
	unhandled, dropped, reported, living, running bool
}

// Config starts from a configuration, for its network, timeouts or actor system.
// Its Observer is told everything, too; its Mode, Seed and Debug do not count.
func Config(cfg kernel.Config) Option {
	return func(o *options) {
		cfg.Mode, cfg.Seed = o.cfg.Mode, o.cfg.Seed
		o.cfg = cfg
	}
}

// Seed chooses the order; without it, and without USHER_SEED, it is 0.
func Seed(seed uint64) Option { return func(o *options) { o.cfg.Seed = seed } }

// Mode has the kernel run another way than simulated.
func Mode(m kernel.Mode) Option { return func(o *options) { o.cfg.Mode = m } }

// AllowUnhandled lets events pass that nobody handles.
func AllowUnhandled() Option { return func(o *options) { o.unhandled = true } }

// AllowDropped lets accepted events be dropped, as by a forced stop.
func AllowDropped() Option { return func(o *options) { o.dropped = true } }

// AllowReported lets components report what went wrong outside.
func AllowReported() Option { return func(o *options) { o.reported = true } }

// AllowAlive lets sessions, and what holds the kernel, outlive the test.
func AllowAlive() Option { return func(o *options) { o.living = true } }

// AllowGoroutines lets goroutines that handlers started outlive the test.
func AllowGoroutines() Option { return func(o *options) { o.running = true } }

// New makes a simulated kernel that fails t on what a correct program does not
// do: see the package's documentation.
func New(t testing.TB, opts ...Option) *kernel.Kernel {
	t.Helper()
	w := newWatch(t, opts)
	if seed, ok := replay(t); ok {
		w.cfg.Seed = seed
	}
	k := kernel.New(w.cfg)
	t.Cleanup(func() { w.end(k) })
	return k
}

// Strict is the configuration of the kernel that New would make, for those who make
// it themselves, such as several for one test: its observer fails t at the end like
// New's. There is no leak report, and USHER_SEED does not count.
func Strict(t testing.TB, opts ...Option) kernel.Config {
	t.Helper()
	w := newWatch(t, opts)
	t.Cleanup(w.tell)
	return w.cfg
}

func newWatch(t testing.TB, opts []Option) *watch {
	o := options{cfg: kernel.Config{Mode: kernel.Simulated}}
	for _, f := range opts {
		f(&o)
	}
	o.cfg.Debug = true
	w := &watch{t: t, options: o}
	w.cfg.Observer = kernel.Observers(w.observer(), o.cfg.Observer)
	return w
}

// Run runs k until no session is left, and fails t if it ends in any other way.
func Run(t testing.TB, k *kernel.Kernel) {
	t.Helper()
	if err := k.Run(context.Background()); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// watch gathers what fails the test. It reports at the test's end, because an
// observer may be called on any goroutine and must not end it.
type watch struct {
	options
	t testing.TB

	mu    sync.Mutex
	found []string
}

// most is how many findings are kept: the first ones tell the story.
const most = 20

func (w *watch) add(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.found) < most {
		w.found = append(w.found, fmt.Sprintf(format, args...))
	}
}

// end is the leak report, and the place where all findings come out.
func (w *watch) end(k *kernel.Kernel) {
	w.t.Helper()
	w.leaks(k)
	w.tell()
	if w.t.Failed() && w.cfg.Mode == kernel.Simulated {
		w.t.Logf("seed %d; to replay: %s=%d go test -run '^%s$'", w.cfg.Seed, seedVariable, w.cfg.Seed, w.t.Name())
	}
}

func (w *watch) tell() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.found {
		w.t.Error(f)
	}
}
