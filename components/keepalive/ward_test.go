package keepalive

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestA82_A108_ConnectionEndsWithItsSession, however that ends, and whether the pool is
// still there or not. Nobody is blamed for it.
func TestA82_A108_ConnectionEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(u *user){
		"stop":            func(u *user) { u.lease.Release() },
		"Shutdown before": func(u *user) { u.pool.Shutdown(); u.ended(); u.lease.Release() },
		"Kernel.Stop":     func(u *user) { u.k.Stop() },
		"fresh receiver":  func(u *user) { _ = u.lease.Post("fail") },
	} {
		for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
			t.Run(name+" "+m.String(), func(t *testing.T) {
				reports := make(chan string, 10)
				k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{
					Reported: func(_, cause string, err error) { reports <- cause + ": " + err.Error() },
				}})
				release := k.Hold("test")
				over := make(chan error, 1)
				go func() { over <- k.Run(context.Background()) }()
				e := newEcho(t)
				u := &user{t: t, k: k, pool: startPool(t, k, Config{}), got: make(chan Response, 1)}
				fresh := func() kernel.Receiver {
					return session.New(
						session.On(evGot, func(_ *kernel.Context, r Response) error { u.got <- r; return nil }),
						session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
						session.Handle("fail", func(*kernel.Context) error { return context.Canceled }),
					)
				}
				var err error
				u.lease, err = k.SpawnHeld(fresh(), kernel.Supervise(actor.NewRestartingStrategy(), fresh))
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // a source for the first of them only, and again for a fresh receiver
					c, second := u.conn(e.port()), u.conn(e.port())
					if c.NetConn() == nil || second.NetConn() == nil {
						t.Fatal("no connection")
					}
					until(t, "the server has both", func() bool { open, _ := e.counts(); return open == 2 })
					end(u)
					until(t, "the server has neither", func() bool { open, _ := e.counts(); return open == 0 })
					if err := c.Release(); err == nil {
						t.Error("it can still be given back")
					}
					if name != "fresh receiver" {
						break
					}
				}
				u.lease.Release()
				release()
				if err := <-over; err != nil {
					t.Error(err)
				}
				runtime.GC()
				runtime.GC()
				if len(reports) > 0 {
					t.Errorf("reported: %s", <-reports)
				}
			})
		}
	}
}

// ended waits for the end of the pool's session.
func (u *user) ended() {
	u.t.Helper()
	until(u.t, "the pool ends", func() bool { _, err := u.pool.Stats(); return errors.Is(err, ErrShutDown) })
}
