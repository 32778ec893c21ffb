package kernel_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Sessions post to and call each other while goroutines do the same from
// outside: at no time do two handlers of one session run. No call here nests
// back, so a handler that finds its session's flag set has overlapped another.
func TestG1_T8_OneAtATime(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		const n, rounds = 12, 60
		k := boot(t, m)
		var overlaps, deadlocks atomic.Int64
		addrs := make([]kernel.Address, n)
		leases := make([]*kernel.Lease, n)
		var wg sync.WaitGroup // chains of work, and goroutines
		for i := range n {
			var busy atomic.Bool
			plain := 0 // the race detector's own view of the same promise
			once := func(f func()) {
				if !busy.CompareAndSwap(false, true) {
					overlaps.Add(1)
				}
				plain++
				f()
				busy.Store(false)
			}
			l, err := k.SpawnHeld(table{
				"leaf": func(*kernel.Context) error { once(func() {}); return nil },
				"work": func(c *kernel.Context) error {
					left := c.Arg(0).(int)
					once(func() {
						next := addrs[(i+left)%n]
						if next == c.Self() {
							next = addrs[(i+1)%n]
						}
						if _, err := c.Call(next, "leaf"); errors.Is(err, kernel.ErrDeadlock) {
							deadlocks.Add(1)
						} else {
							must(err)
						}
						if left > 0 {
							must(c.Post(next, "work", left-1))
							must(c.Yield("leaf"))
						} else {
							wg.Done()
						}
					})
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			leases[i], addrs[i] = l, l.Address()
		}
		wg.Add(n)
		for i := range n {
			must(leases[i].Post("work", rounds))
		}
		if m != kernel.Simulated {
			for i := range 4 {
				wg.Go(func() {
					for j := range rounds {
						if _, err := k.Call(context.Background(), addrs[(i*3+j)%n], "leaf"); err != nil {
							t.Errorf("Call: %v", err)
						}
					}
				})
			}
		}
		wg.Go(func() {
			for j := range rounds {
				must(leases[j%n].Post("leaf"))
			}
		})
		go func() {
			wg.Wait()
			for _, l := range leases {
				l.Release()
			}
		}()
		k.run()
		expect(t, "overlapping handlers", overlaps.Load(), 0)
		expect(t, "failures", k.failed.Load(), 0)
		if m != kernel.Parallel {
			expect(t, "deadlocks", deadlocks.Load(), 0)
		}
	})
}
