package kernel_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// measure runs a kernel in which n events happen and returns the allocations of
// each. Starting and ending a kernel costs the same for any n.
func measure(t *testing.T, m kernel.Mode, n int, set func(k *kernel.Kernel, n int)) float64 {
	count := func(n int) uint64 {
		k := kernel.New(kernel.Config{Mode: m, Workers: 1})
		set(k, n)
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&b)
		return b.Mallocs - a.Mallocs
	}
	count(n)
	few, many := count(n/10), count(n)
	return (float64(many) - float64(few)) / (0.9 * float64(n))
}

// An event costs no allocation: yield, exchange, call, timer.
func TestEventsDoNotAllocate(t *testing.T) {
	if kernel.AlwaysDebug {
		t.Skip("the checks of a debug kernel allocate")
	}
	counting := func(n int, next func(c *kernel.Context, e string) error) kernel.Handler {
		return func(c *kernel.Context) error {
			if n--; n < 0 {
				return nil
			}
			return next(c, "x")
		}
	}
	cases := map[string]func(k *kernel.Kernel, n int){
		"yield": func(k *kernel.Kernel, n int) {
			a, _ := k.Spawn(table{"x": counting(n, func(c *kernel.Context, e string) error { return c.Yield(e) })})
			must(k.Post(a, "x"))
		},
		"ping-pong": func(k *kernel.Kernel, n int) {
			pong := counting(n/2, func(c *kernel.Context, e string) error { return c.Post(c.Sender(), e) })
			a, _ := k.Spawn(table{"x": pong}, kernel.Alias("a"))
			_, _ = k.Spawn(table{"_start": func(c *kernel.Context) error { return c.Post(a, "x") }, "x": pong})
		},
		"call": func(k *kernel.Kernel, n int) {
			a, _ := k.Spawn(table{"x": func(*kernel.Context) error { return nil }}, kernel.Alias("a"))
			_, _ = k.Spawn(table{"_start": func(c *kernel.Context) error { return c.Yield("go") }, "go": func(c *kernel.Context) error {
				for range n {
					if _, err := c.Call(a, "x", c); err != nil {
						return err
					}
				}
				return nil
			}})
		},
		"timer": func(k *kernel.Kernel, n int) {
			a, _ := k.Spawn(table{"x": counting(n, func(c *kernel.Context, e string) error { c.Delay(e, 0); return nil })})
			must(k.Post(a, "x"))
		},
	}
	for name, set := range cases {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				if got := measure(t, m, 20_000, set); got > 0.02 {
					t.Errorf("%.3f allocations per event", got)
				}
			})
		})
	}
}
