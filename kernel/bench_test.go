package kernel_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const (
	hit  kernel.Event[*int]    = "hit"
	peer kernel.Event[*player] = "peer"
)

type player struct {
	to   kernel.Address
	left int
	v    int
}

func (p *player) hit(c *kernel.Context, v *int) error {
	if p.left == 0 {
		return nil
	}
	p.left--
	return hit.Post(c, p.to, v)
}

func newPlayer(n int) (*player, *session.Session) {
	p := &player{left: n}
	return p, session.New(session.Handle("_start", func(*kernel.Context) error { return nil }), session.On(hit, p.hit))
}

func run(b testing.TB, k *kernel.Kernel) {
	b.Helper()
	if err := k.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkYield(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			p, s := newPlayer(b.N)
			p.to, _ = k.Spawn(s, kernel.Alias("a"))
			hit.PostFrom(k, p.to, &p.v)
			b.ResetTimer()
			run(b, k)
		})
	}
}

func BenchmarkPingPong(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			p, s := newPlayer(b.N)
			q, r := newPlayer(b.N)
			q.to, _ = k.Spawn(s, kernel.Alias("a"))
			p.to, _ = k.Spawn(r, kernel.Alias("b"))
			hit.PostFrom(k, p.to, &p.v)
			b.ResetTimer()
			run(b, k)
		})
	}
}

func BenchmarkRing1000(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			const n = 1000
			ps := make([]*player, n)
			as := make([]kernel.Address, n)
			for i := range ps {
				p, s := newPlayer(b.N/n + 1)
				ps[i] = p
				as[i], _ = k.Spawn(s, kernel.Alias(fmt.Sprint(i)))
			}
			for i := range ps {
				ps[i].to = as[(i+1)%n]
			}
			hit.PostFrom(k, as[0], &ps[0].v)
			b.ResetTimer()
			run(b, k)
		})
	}
}

func BenchmarkFlood(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			sink, _ := k.Spawn(session.New(session.On(hit, func(*kernel.Context, *int) error { return nil })), kernel.Alias("sink"))
			v := 0
			k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error { return c.Yield("go") }),
				session.Handle("go", func(c *kernel.Context) error {
					for range b.N {
						if err := hit.Post(c, sink, &v); err != nil {
							return err
						}
					}
					return nil
				})))
			b.ResetTimer()
			run(b, k)
		})
	}
}

func BenchmarkCall(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			v := 0
			to, _ := k.Spawn(session.New(session.On(hit, func(c *kernel.Context, v *int) error { c.Return(v); return nil })), kernel.Alias("to"))
			k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error { return c.Yield("go") }),
				session.Handle("go", func(c *kernel.Context) error {
					for range b.N {
						if _, err := hit.Call(c, to, &v); err != nil {
							return err
						}
					}
					return nil
				})))
			b.ResetTimer()
			run(b, k)
		})
	}
}

// BenchmarkCallers has goroutines from outside call one session.
func BenchmarkCallers(b *testing.B) {
	for _, n := range []int{1, 2, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{})
			v := 0
			to, _ := k.Spawn(session.New(session.On(hit, func(c *kernel.Context, v *int) error {
				for range 200 { // some work
					*v++
				}
				return nil
			})), kernel.Alias("to"))
			var begun atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range n {
				all.Go(func() {
					for begun.Add(1) <= int64(b.N) {
						if _, err := k.Call(context.Background(), to, hit.Name(), &v); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func BenchmarkSpawn(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			for range b.N {
				_, s := newPlayer(0)
				k.Spawn(s)
			}
			run(b, k)
		})
	}
}

func BenchmarkTimer(b *testing.B) {
	for _, m := range modes {
		b.Run(m.String(), func(b *testing.B) {
			b.ReportAllocs()
			k := kernel.New(kernel.Config{Mode: m})
			k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
				b.ResetTimer()
				for range b.N {
					id := c.DelaySet("x", 1e9)
					c.AlarmRemove(id)
				}
				return nil
			})))
			run(b, k)
		})
	}
}
