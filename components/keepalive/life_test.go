package keepalive

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestA109_A107_PoolDoesNotKeepTheProgram: without a connection not at all, with
// idle ones for KeepAlive, after Shutdown no longer. Nothing is left behind.
func TestA107_A109_PoolDoesNotKeepTheProgram(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for name, tc := range map[string]struct {
			cfg Config
			end func(p *Pool)
		}{
			"never used": {Config{}, nil},
			"expires":    {Config{KeepAlive: time.Millisecond}, nil},
			"shut down":  {Config{KeepAlive: time.Hour}, (*Pool).Shutdown},
			"no limit":   {Config{KeepAlive: NoLimit}, (*Pool).Shutdown},
			"stopped":    {Config{KeepAlive: time.Hour}, func(p *Pool) { p.k.Stop() }},
		} {
			t.Run(m.String()+" "+name, func(t *testing.T) {
				goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
				func() {
					port, conns := accepting(t)
					k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{}})
					p := startPool(t, k, tc.cfg)
					if name != "never used" {
						if _, err := k.Spawn(session.New(
							session.Handle("_start", func(c *kernel.Context) error {
								_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: port, Event: evGot})
								return err
							}),
							session.On(evGot, func(_ *kernel.Context, r Response) error {
								if r.Err != nil {
									t.Error(r.Err)
									return nil
								}
								err := r.Conn.Release()
								if tc.end != nil {
									tc.end(p)
								}
								return err
							}),
						)); err != nil {
							t.Fatal(err)
						}
					}
					end := make(chan error, 1)
					go func() { end <- k.Run(context.Background()) }()
					select {
					case err := <-end:
						if err != nil {
							t.Fatal(err)
						}
					case <-deadline(t).Done():
						t.Fatal("Run does not return")
					}
					if name != "never used" {
						c := <-conns
						if _, err := c.Read(make([]byte, 1)); err == nil {
							t.Error("the connection stays open")
						}
						c.Close()
					}
				}()
				// The listener of this test and its goroutine are still there.
				until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
				until(t, "no descriptor is left", func() bool { return openDescriptors(t) <= descriptors+1 })
			})
		}
	}
}

// TestA45_StopOfTheKernelLosesNoDescriptor stops everything while connections
// are asked for, opened, lent and on their way.
func TestA45_StopOfTheKernelLosesNoDescriptor(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			port, conns := accepting(t)
			descriptors := openDescriptors(t)
			for range 20 {
				k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{}})
				p := startPool(t, k, Config{MaxPerHost: 5})
				for range 10 {
					if _, err := k.Spawn(session.New(
						session.Handle("_start", func(c *kernel.Context) error {
							_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: port, Event: evGot})
							return err
						}),
						session.On(evGot, func(c *kernel.Context, r Response) error {
							c.Kernel().Stop()
							return nil
						}),
					)); err != nil {
						t.Fatal(err)
					}
				}
				if err := k.Run(deadline(t)); err != nil {
					t.Fatal(err)
				}
				for len(conns) > 0 {
					(<-conns).Close()
				}
			}
			until(t, "no descriptor is left", func() bool {
				for len(conns) > 0 {
					(<-conns).Close()
				}
				return openDescriptors(t) <= descriptors
			})
		})
	}
}
