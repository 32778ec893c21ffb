package clustertest_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
)

// recorder is a test that notes how it fails.
type recorder struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper()                   {}
func (r *recorder) Failed() bool              { return len(r.errors) > 0 }
func (r *recorder) Error(a ...any)            { r.errors = append(r.errors, fmt.Sprintln(a...)) }
func (r *recorder) Errorf(f string, a ...any) { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (r *recorder) Cleanup(f func())          { r.cleanups = append([]func(){f}, r.cleanups...) }

// fails runs what a test would do, and returns how it fails.
func fails(t *testing.T, test func(t testing.TB)) string {
	r := &recorder{TB: t}
	test(r)
	for _, f := range r.cleanups {
		f()
	}
	return strings.Join(r.errors, "; ")
}

// What a correct program does not do fails the test, and says on which machine; what
// is allowed, or dies with its machine, does not.
func TestNode_Findings(t *testing.T) {
	for name, tc := range map[string]struct {
		want string
		test func(t testing.TB)
	}{
		"unhandled": {`m: nobody handles "x"`, func(t testing.TB) {
			w := clustertest.New(t, 1)
			spawn(t, w.Node("m"), handlers{"_start": func(c *kernel.Context) error { return c.Yield("x") }})
			w.Run(sec)
		}},
		"allowed": {"", func(t testing.TB) {
			w := clustertest.New(t, 1)
			spawn(t, w.Node("m", kerneltest.AllowUnhandled()), handlers{"_start": func(c *kernel.Context) error { return c.Yield("x") }})
			w.Run(sec)
		}},
		"reported": {"m: tcp reports: lost: boom", func(t testing.TB) {
			clustertest.New(t, 1).Node("m").Kernel().Report("tcp", "lost", errors.New("boom"))
		}},
		"reported by a crashed kernel": {"", func(t testing.TB) {
			m := clustertest.New(t, 1).Node("m")
			old := m.Kernel()
			m.Restart()
			old.Report("tcp", "lost", errors.New("boom"))
		}},
		"alive": {"", func(t testing.TB) {
			w := clustertest.New(t, 1)
			spawn(t, w.Node("m"), handlers{"_start": func(c *kernel.Context) error { return listen(c) }})
			w.Run(sec)
		}},
		"left open": {"still open: tcp 10.0.0.1:32768->10.0.0.1:80", func(t testing.TB) {
			w := clustertest.New(t, 1)
			m := w.Node("m")
			spawn(t, m, handlers{
				"_start": func(c *kernel.Context) error { return listen(c) },
				"came":   func(c *kernel.Context) error { c.Stop(); return c.Arg(0).(net.Conn).Close() },
			})
			spawn(t, m, handlers{
				"_start": func(c *kernel.Context) error {
					_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{RemoteAddress: "m:80", SuccessEvent: "up"})
					return err
				},
				"up": func(*kernel.Context) error { return nil }, // and forgets to close it
			})
			w.Run(sec)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fails(t, tc.test); !strings.Contains(got, tc.want) || (got == "") != (tc.want == "") {
				t.Errorf("the test fails with %q, want %q", got, tc.want)
			}
		})
	}
}

func listen(c *kernel.Context) error {
	_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: "m:80", SuccessEvent: "came"})
	return err
}

// A goroutine that outlives the test fails it, unless that is allowed.
func TestNode_Goroutines(t *testing.T) {
	for _, allow := range []bool{false, true} {
		quit := make(chan struct{})
		got := fails(t, func(t testing.TB) {
			w := clustertest.New(t, 1, clustertest.Config{AllowGoroutines: allow})
			m := w.Node("m")
			spawn(t, m, handlers{"_start": func(*kernel.Context) error { go func() { <-quit }(); return nil }})
			m.Crash()
		})
		close(quit)
		if strings.Contains(got, "m: still running at the end of the test") == allow {
			t.Errorf("allowed %v: the test fails with %q", allow, got)
		}
	}
}

// What can only be a mistake is said at once.
func TestMistakes(t *testing.T) {
	for want, mistake := range map[string]func(t testing.TB, w *clustertest.World){
		`a second machine "m"`:            func(_ testing.TB, w *clustertest.World) { w.Node("m") },
		`a machine's name is "M"`:         func(_ testing.TB, w *clustertest.World) { w.Node("M") },
		`a machine's name is "localhost"`: func(_ testing.TB, w *clustertest.World) { w.Node("localhost") },
		`a machine's name is "10.0.0.9"`:  func(_ testing.TB, w *clustertest.World) { w.Node("10.0.0.9") },
		`no machine is called "nobody"`:   func(_ testing.TB, w *clustertest.World) { w.Cut("m", "nobody") },
		"Drift(1000000) of m":             func(_ testing.TB, w *clustertest.World) { w.Machine("m").Drift(1_000_000) },
		"New got 2 Configs": func(t testing.TB, _ *clustertest.World) {
			clustertest.New(t, 1, clustertest.Config{}, clustertest.Config{})
		},
		"Run where the world runs already": func(_ testing.TB, w *clustertest.World) {
			w.At(0, func() { w.Run(sec) })
			w.Run(sec)
		},
		"there is still something to do": func(t testing.TB, w *clustertest.World) {
			var again func()
			again = func() { w.At(0, again) }
			again()
			w.Run(sec)
		},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}()
			r := &recorder{TB: t}
			w := clustertest.New(r, 1)
			w.Node("m")
			mistake(r, w)
		}()
	}
}
