package kerneltest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// recorder is a test that notes how it fails.
type recorder struct {
	testing.TB
	errors, logs []string
	cleanups     []func()
}

var _ testing.TB = (*recorder)(nil)

func (r *recorder) Helper()                      {}
func (r *recorder) Name() string                 { return "TestRecorded" }
func (r *recorder) Failed() bool                 { return len(r.errors) > 0 }
func (r *recorder) Error(a ...any)               { r.errors = append(r.errors, fmt.Sprint(a...)) }
func (r *recorder) Errorf(f string, a ...any)    { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }
func (r *recorder) Logf(f string, a ...any)      { r.logs = append(r.logs, fmt.Sprintf(f, a...)) }
func (r *recorder) Cleanup(f func())             { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

func (r *recorder) finish() {
	for _, f := range r.cleanups {
		f()
	}
}

type handlers map[string]kernel.Handler

var _ kernel.Receiver = handlers(nil)

func (h handlers) Receive(c *kernel.Context) error {
	if f := h[c.Event()]; f != nil {
		return f(c)
	}
	c.Unhandled()
	return nil
}

// Each kind of finding fails the test, says what happened, and can be allowed.
func TestNew_Findings(t *testing.T) {
	spawn := func(k *kernel.Kernel, h handlers) {
		if _, err := k.Spawn(h); err != nil {
			t.Fatal(err)
		}
	}
	step := func(k *kernel.Kernel) {
		for k.Step() {
		}
	}
	cases := map[string]struct {
		want  string
		allow kerneltest.Option
		play  func(k *kernel.Kernel)
	}{
		"unhandled": {`nobody handles "x", sent by #1 to #1`, kerneltest.AllowUnhandled(), func(k *kernel.Kernel) {
			spawn(k, handlers{"_start": func(c *kernel.Context) error { return c.Yield("x") }})
			step(k)
		}},
		"dropped": {`dropped "x" [7], sent by #1 to #1: receiver stopped`, kerneltest.AllowDropped(), func(k *kernel.Kernel) {
			spawn(k, handlers{"_start": func(c *kernel.Context) error { c.Stop(); return c.Yield("x", 7) }})
			step(k)
		}},
		"failed": {`nobody handles the failure: session #1 failed handling "x" from #1: boom`, nil, func(k *kernel.Kernel) {
			spawn(k, handlers{
				"_start": func(c *kernel.Context) error { return c.Yield("x") },
				"x":      func(*kernel.Context) error { return errors.New("boom") },
			})
			step(k)
		}},
		"reported": {"pool reports: lost: boom", kerneltest.AllowReported(), func(k *kernel.Kernel) {
			k.Report("pool", "lost", errors.New("boom"))
		}},
		"alive": {"still alive at the end of the test:\nsession #1, made at kerneltest/kernel_test.go:", kerneltest.AllowAlive(), func(k *kernel.Kernel) {
			spawn(k, handlers{"_start": func(c *kernel.Context) error { c.Delay("x", time.Hour); return nil }})
			step(k)
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			tc.play(kerneltest.New(r, kerneltest.Seed(17)))
			r.finish()
			if len(r.errors) != 1 || !strings.Contains(r.errors[0], tc.want) {
				t.Errorf("errors %q, want %q", r.errors, tc.want)
			}
			if len(r.logs) != 1 || !strings.Contains(r.logs[0], "USHER_SEED=17") {
				t.Errorf("the seed is not printed: %q", r.logs)
			}
			if tc.allow == nil {
				return
			}
			r = &recorder{TB: t}
			tc.play(kerneltest.New(r, tc.allow))
			r.finish()
			if r.Failed() {
				t.Errorf("allowed, and fails: %q", r.errors)
			}
		})
	}
}

func TestRun_FailsOnAnError(t *testing.T) {
	r := &recorder{TB: t}
	k := kerneltest.New(r)
	if _, err := k.Spawn(handlers{
		"_start": func(c *kernel.Context) error { return c.Yield("x") },
		"x":      func(*kernel.Context) error { return errors.New("boom") },
	}); err != nil {
		t.Fatal(err)
	}
	kerneltest.Run(r, k)
	r.finish()
	if len(r.errors) != 2 || !strings.HasPrefix(r.errors[0], "Run: session #1 failed") {
		t.Errorf("errors: %q", r.errors)
	}
}

// order tells in which order a seed runs three sessions.
func order(t testing.TB, opts ...kerneltest.Option) string {
	var got []string
	k := kerneltest.New(t, opts...)
	for i := range 3 {
		if _, err := k.Spawn(handlers{
			"_start": func(c *kernel.Context) error { return c.Yield("x") },
			"x":      func(*kernel.Context) error { got = append(got, fmt.Sprint(i)); return nil },
		}); err != nil {
			t.Fatal(err)
		}
	}
	kerneltest.Run(t, k)
	return strings.Join(got, "")
}

// Seeds gives every order; USHER_SEED replays one of them, everywhere.
func TestSeeds(t *testing.T) {
	t.Setenv("USHER_SEED", "")
	bySeed := map[uint64]string{}
	orders := map[string]bool{}
	kerneltest.Seeds(t, 60, func(t *testing.T, seed uint64) {
		bySeed[seed] = order(t, kerneltest.Seed(seed))
		orders[bySeed[seed]] = true
	})
	if len(orders) != 6 {
		t.Errorf("60 seeds gave the orders %v, want all 6", orders)
	}
	t.Setenv("USHER_SEED", "42")
	runs := 0
	kerneltest.Seeds(t, 60, func(t *testing.T, seed uint64) {
		runs++
		if got := order(t); seed != 42 || got != bySeed[42] {
			t.Errorf("seed %d gave %s, want 42 and %s", seed, got, bySeed[42])
		}
	})
	if runs != 1 {
		t.Errorf("%d runs, want 1", runs)
	}
	t.Setenv("USHER_SEED", "many")
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, `USHER_SEED is "many"`) {
			t.Errorf("a seed that is no number: %v", s)
		}
	}()
	kerneltest.New(&recorder{TB: t})
}

// The caller's own observer hears everything, too; the mode can be chosen.
func TestNew_ConfigAndMode(t *testing.T) {
	r, heard := &recorder{TB: t}, 0
	k := kerneltest.New(r, kerneltest.Config(kernel.Config{Observer: &kernel.Observer{
		Unhandled: func(kernel.Record) { heard++ },
		Dropped:   func(kernel.Record, kernel.Reason) { heard++ },
		Fatal:     func(*kernel.Exception) { heard++ },
		Reported:  func(_, _ string, _ error) { heard++ },
	}}), kerneltest.Mode(kernel.Serial))
	if _, err := k.Spawn(handlers{
		"_start": func(c *kernel.Context) error { must(c.Yield("unknown")); return c.Yield("fail") },
		"fail":   func(c *kernel.Context) error { c.Stop(); must(c.Yield("late")); return errors.New("boom") },
	}); err != nil {
		t.Fatal(err)
	}
	k.Report("x", "y", errors.New("z"))
	_ = k.Run(t.Context())
	r.finish()
	if heard != 4 || len(r.errors) != 4 {
		t.Errorf("heard %d, found %q", heard, r.errors)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
