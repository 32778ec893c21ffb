package kernel_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// A hundred handlers block on two workers: others are served, timers fire,
// signals arrive; then they are released, and all ends. No goroutine is left.
func TestT34_BlockedHandlersHarmNobodyElse(t *testing.T) {
	before := runtime.NumGoroutine()
	const n = 100
	k := boot(t, kernel.Parallel, workers(2))
	gate := make(chan struct{})
	var blocked, released atomic.Int64
	for range n {
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("block") },
			"block":  func(*kernel.Context) error { blocked.Add(1); <-gate; released.Add(1); return nil },
		})
	}
	k.spawn(table{
		"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); c.Delay("timer", time.Millisecond); return nil },
		"timer": func(c *kernel.Context) error {
			if blocked.Load() < n {
				c.Delay("timer", time.Millisecond)
				return nil
			}
			return c.Yield("yield", 1000)
		},
		"yield": func(c *kernel.Context) error {
			if left := c.Arg(0).(int); left > 0 {
				return c.Yield("yield", left-1)
			}
			return c.Signal(c.Self(), "NEWS")
		},
		"news": func(*kernel.Context) error {
			expect(t, "released too early", released.Load(), 0)
			close(gate)
			return nil
		},
	})
	k.run()
	expect(t, "released", released.Load(), n)
	until(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+1 })
}

// A session woken by a handler that then blocks must not wait for it.
func TestParallel_WokenByAHandlerThatBlocks(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(1))
	gate := make(chan struct{})
	a := k.service(table{"x": func(*kernel.Context) error { close(gate); return nil }})
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go":     func(c *kernel.Context) error { must(c.Post(a, "x")); <-gate; return nil },
	})
	k.run()
}

// The receiver's next event may block for ever; its sender is free all the same.
func TestParallel_SenderIsNotHeldByTheNextEvent(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	gate := make(chan struct{})
	to := k.service(table{"x": func(*kernel.Context) error { return nil }, "block": func(*kernel.Context) error { <-gate; return nil }})
	k.spawn(table{
		"_start": func(c *kernel.Context) error { must(c.Post(to, "x")); return c.Post(to, "x") },
		"_stop":  func(*kernel.Context) error { close(gate); return nil },
	})
	must(k.Post(to, "block"))
	k.run()
}

// Run leaves no goroutine behind, in no mode.
func TestRunLeavesNoGoroutines(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		kernel.New(kernel.Config{}) // the shared actor system is made once
		before := runtime.NumGoroutine()
		for range 5 {
			k := boot(t, m)
			for range 20 {
				k.service(table{"_start": func(c *kernel.Context) error {
					c.Sig("USR2", "x")
					c.Delay("x", time.Millisecond)
					return nil
				}, "x": nop.none})
			}
			k.run()
		}
		until(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+1 })
	})
}
