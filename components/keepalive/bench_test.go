package keepalive

import (
	"context"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// BenchmarkAllocateRelease takes an idle connection and gives it back, in the
// handler of the session that asked.
func BenchmarkAllocateRelease(b *testing.B) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		b.Run(m.String(), func(b *testing.B) {
			port, conns := accepting(b)
			k := kernel.New(kernel.Config{Mode: m})
			p, err := New(k, Config{})
			if err != nil {
				b.Fatal(err)
			}
			n := -1 // the first opens the connection
			ask := func(c *kernel.Context) error {
				_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: port, Event: evGot})
				return err
			}
			_, err = k.Spawn(session.New(session.Handle("_start", ask), session.On(evGot, func(c *kernel.Context, r Response) error {
				if r.Err != nil {
					return r.Err
				}
				if err := r.Conn.Release(); err != nil {
					return err
				}
				if n++; n == 0 {
					b.ResetTimer()
				}
				if n == b.N {
					p.Shutdown()
					return nil
				}
				return ask(c)
			})))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			if err := k.Run(context.Background()); err != nil {
				b.Fatal(err)
			}
			(<-conns).Close()
		})
	}
}

// BenchmarkGetRelease does it on a goroutine.
func BenchmarkGetRelease(b *testing.B) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		b.Run(m.String(), func(b *testing.B) {
			port, conns := accepting(b)
			k := kernel.New(kernel.Config{Mode: m})
			p, err := New(k, Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer k.Hold("benchmark")()
			end := make(chan error, 1)
			go func() { end <- k.Run(context.Background()) }()
			ctx := context.Background()
			turn := func() {
				c, err := p.Get(ctx, "test", "127.0.0.1", port)
				if err != nil {
					b.Fatal(err)
				}
				if err := c.Release(); err != nil {
					b.Fatal(err)
				}
			}
			turn() // opens the connection
			b.ReportAllocs()
			for b.Loop() {
				turn()
			}
			k.Stop()
			if err := <-end; err != nil {
				b.Fatal(err)
			}
			(<-conns).Close()
		})
	}
}
