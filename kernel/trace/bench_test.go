package trace_test

import (
	"context"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

// BenchmarkRecorder shows what an attached recorder costs an event: compare each
// "recorder" with the "none" before it (budget: 1.5 times).
func BenchmarkRecorder(b *testing.B) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for name, run := range map[string]func(*testing.B, *kernel.Kernel){"yield": yields, "ping-pong": pingPongs, "call": calls} {
			b.Run(m.String()+"/"+name+"/none", func(b *testing.B) {
				run(b, kernel.New(kernel.Config{Mode: m}))
			})
			b.Run(m.String()+"/"+name+"/recorder", func(b *testing.B) {
				run(b, kernel.New(kernel.Config{Mode: m, Observer: trace.NewRecorder(0).Observer()}))
			})
		}
	}
}

// counting sends the next of n events to whoever next says.
func counting(n int, next func(c *kernel.Context) kernel.Address) table {
	return table{"hit": func(c *kernel.Context) error {
		if n--; n < 0 {
			return nil
		}
		return c.Post(next(c), "hit")
	}}
}

func yields(b *testing.B, k *kernel.Kernel) {
	a, _ := k.Spawn(counting(b.N, (*kernel.Context).Self), kernel.Alias("a"))
	measure(b, k, a, "hit")
}

func pingPongs(b *testing.B, k *kernel.Kernel) {
	var p, q kernel.Address
	p, _ = k.Spawn(counting(b.N, func(*kernel.Context) kernel.Address { return q }), kernel.Alias("p"))
	q, _ = k.Spawn(counting(b.N, func(*kernel.Context) kernel.Address { return p }), kernel.Alias("q"))
	measure(b, k, p, "hit")
}

func calls(b *testing.B, k *kernel.Kernel) {
	a, _ := k.Spawn(table{"hit": func(*kernel.Context) error { return nil }}, kernel.Alias("a"))
	p, _ := k.Spawn(table{"go": func(c *kernel.Context) error {
		for range b.N {
			if _, err := c.Call(a, "hit"); err != nil {
				return err
			}
		}
		return nil
	}})
	measure(b, k, p, "go")
}

func measure(b *testing.B, k *kernel.Kernel, to kernel.Address, first string) {
	if err := k.Post(to, first); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := k.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}
