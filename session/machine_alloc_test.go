//go:build !usherdebug

package session_test

import (
	"runtime"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// allocations runs a machine that handles n events and returns what each of them
// allocates; starting and ending the kernel costs the same for any n.
func allocations(t *testing.T, mode kernel.Mode, n int, make func(n int) kernel.Receiver) float64 {
	count := func(n int) uint64 {
		k := kernel.New(kernel.Config{Mode: mode, Workers: 1})
		spawn(t, k, make(n))
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		if err := k.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&b)
		return b.Mallocs - a.Mallocs
	}
	count(n)
	few, many := count(n/10), count(n)
	return (float64(many) - float64(few)) / (0.9 * float64(n))
}

// An event costs a machine no allocation, whichever table it is found in; neither
// does a transition made at once. One that is queued costs one.
func TestMachine_Allocations(t *testing.T) {
	var m *session.Machine
	next := func(n int, f func(c *kernel.Context) error) session.State {
		return session.Handle("x", func(c *kernel.Context) error {
			if n--; n < 0 {
				return nil
			}
			return f(c)
		})
	}
	yield := func(c *kernel.Context) error { return c.Yield("x") }
	begin := session.Handle("_start", yield)
	for name, tc := range map[string]struct {
		most float64
		make func(n int) kernel.Receiver
	}{
		"in the state": {0, func(n int) kernel.Receiver {
			return session.NewMachine("a", begin, session.In("a", next(n, yield)))
		}},
		"machine-wide": {0, func(n int) kernel.Receiver {
			return session.NewMachine("a", begin, session.In("a"), next(n, yield))
		}},
		"GotoNow": {0, func(n int) kernel.Receiver {
			m = session.NewMachine("a", begin, session.In("a", session.Handle("_leave", nop)), session.In("b", session.Handle("_enter", nop)),
				next(n, func(c *kernel.Context) error {
					must(m.GotoNow(c, "b", ""))
					must(m.GotoNow(c, "a", ""))
					return yield(c)
				}))
			return m
		}},
		"Goto": {1, func(n int) kernel.Receiver {
			m = session.NewMachine("a", begin, session.In("a", session.Handle("_leave", nop),
				next(n, func(c *kernel.Context) error { return m.Goto(c, "a", "x") })))
			return m
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
				if got := allocations(t, mode, 5000, tc.make); got > tc.most+0.05 {
					t.Errorf("%v: %.2f allocations per event, want %v", mode, got, tc.most)
				}
			}
		})
	}
}
