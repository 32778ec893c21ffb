package kerneltest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// here is how a report names the line that calls it.
func here() string {
	_, _, line, _ := runtime.Caller(1)
	return fmt.Sprintf(", made at kerneltest/leaks_test.go:%d", line)
}

func first(a kernel.Address, err error) any { must(err); return a }

// K7, K19: what is left when a kernel ends, or of one that never ran, is reported
// with where it was made.
func TestK7_K19_Leaks(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			r := &recorder{TB: t}
			k := kerneltest.New(r, kerneltest.Mode(m))
			var want []string
			made := func(what, where string, _ any) { want = append(want, what+where) }
			made(`hold "node"`, here(), k.Hold("node"))
			made("session #1 (owner)", here(), first(k.Spawn(handlers{"_start": func(c *kernel.Context) error {
				made(`alias "owner" (against collection, not against IDLE)`, here(), c.AliasSet("owner"))
				made(`lease "mine"`, here(), c.Lease("mine"))
				made(`lease "postback \"back\""`, here(), c.Postback("back"))
				made(", pipe, holds nothing", here(), c.NewSource("pipe", nil, nil))
				c.DelaySet("tick", time.Hour)
				return nil
			}})))
			r.finish()
			report := strings.Join(r.errors, "\n")
			for _, line := range append(want, `timer "tick" in `) {
				if !strings.Contains(report, line) {
					t.Errorf("%q is missing in:\n%s", line, report)
				}
			}
			if len(r.errors) != 2 {
				t.Errorf("%d findings, want one of the session and one of the hold:\n%s", len(r.errors), report)
			}
		})
	}
}

// K153: a postback that only the garbage collector releases is a leak.
func TestK153_LostPostback(t *testing.T) {
	r := &recorder{TB: t}
	k := kerneltest.New(r)
	spawn(t, k, handlers{"_start": func(c *kernel.Context) error { c.Postback("back"); return nil }})
	for end := time.Now().Add(20 * time.Second); len(k.Sessions()) > 0; {
		runtime.GC() // the postback's hold goes, and so does the session
		for k.Step() {
		}
		if time.Now().After(end) {
			t.Fatal("the postback was not released")
		}
	}
	kerneltest.Run(t, k)
	r.finish()
	if want := `kernel reports: lease dropped without Release: lease "postback \"back\"" on session #1, made at kerneltest/leaks_test.go:`; len(r.errors) != 1 || !strings.Contains(r.errors[0], want) {
		t.Errorf("errors %q, want %q", r.errors, want)
	}
}

func stays(c <-chan struct{}) { <-c }

// A goroutine that a handler started, and that outlives the kernel, is reported;
// one that ends in time is not, nor those of another kernel that runs meanwhile.
func TestGoroutineLeaks(t *testing.T) {
	restore := kerneltest.SetPatience(50 * time.Millisecond)
	release := make(chan struct{})
	start := func(t testing.TB, m kernel.Mode, opts ...kerneltest.Option) {
		k := kerneltest.New(t, append(opts, kerneltest.Mode(m))...)
		spawn(t, k, handlers{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go":     func(*kernel.Context) error { go stays(release); return nil },
		})
		kerneltest.Run(t, k)
	}
	for _, m := range modes {
		r := &recorder{TB: t}
		start(r, m)
		go stays(release) // by the test, not by a handler
		k := kerneltest.New(t, kerneltest.Mode(m))
		spawn(t, k, handlers{})
		kerneltest.Run(t, k)
		r.finish()
		want := "still running at the end of the test: goroutine of session #1: github.com/usher-go/usher/kernel/kerneltest_test.stays, now at kerneltest/leaks_test.go:"
		if len(r.errors) != 1 || !strings.Contains(r.errors[0], want) || !strings.Contains(r.errors[0], ", started at kerneltest/leaks_test.go:") {
			t.Errorf("%v: errors %q, want %q", m, r.errors, want)
		}
		start(t, m, kerneltest.AllowGoroutines())
	}
	close(release)
	restore()
	for _, m := range modes {
		start(t, m) // it ends soon, and is waited for
	}
}

// Tests that run at the same time do not see each other's goroutines.
func TestGoroutineLeaks_InParallel(t *testing.T) {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			var opts []kerneltest.Option
			if i%2 == 0 {
				opts = append(opts, kerneltest.AllowGoroutines())
			}
			k := kerneltest.New(t, opts...)
			spawn(t, k, handlers{"_start": func(*kernel.Context) error {
				if i%2 == 0 {
					go stays(done)
				}
				return nil
			}})
			kerneltest.Run(t, k)
		})
	}
}
