//go:build !usherdebug

package trace_test

import (
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

// Recording costs no allocation per event once the ring is full.
func TestRing_DoesNotAllocate(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			count := func(n int) float64 {
				return testing.AllocsPerRun(1, func() {
					k := kernel.New(kernel.Config{Mode: m, Workers: 1, Observer: trace.NewRecorder(100).Observer()})
					left := n
					_, err := k.Spawn(table{
						"_start": func(c *kernel.Context) error { return c.Yield("x") },
						"x": func(c *kernel.Context) error {
							if left--; left < 0 {
								return nil
							}
							_, err := c.Call(c.Self(), "y")
							must(err)
							return c.Yield("x")
						},
						"y": func(*kernel.Context) error { return nil },
					})
					must(err)
					run(t, k)
				})
			}
			if few, many := count(1000), count(11_000); many-few > 200 {
				t.Errorf("%v allocations for 10,000 yields and calls", many-few)
			}
		})
	}
}
