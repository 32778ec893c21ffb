package keepalive

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// bubble is a pool on a network in memory, 10 ms away from its one server, with a
// clock that moves only when all wait.
type bubble struct {
	*testing.T
	k    *kernel.Kernel
	pool *Pool
	net  *wheeltest.Network

	start time.Time
	mu    sync.Mutex
	peers []net.Conn
	ends  []time.Duration // when the pool closed them
	said  []string
}

func inBubbles(t *testing.T, cfg Config, f func(b *bubble)) {
	t.Helper()
	inBubblesOf(t, kernel.Config{}, cfg, f)
}

func inBubblesOf(t *testing.T, of kernel.Config, cfg Config, f func(b *bubble)) {
	t.Helper()
	kernel.New(kernel.Config{}) // what all kernels share must not be made inside
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bubble{T: t, start: time.Now()}
				b.net = wheeltest.New(wheeltest.Config{Link: wheeltest.Link{Delay: 10 * time.Millisecond}})
				of.Mode, of.Network, of.Observer = m, b.net, &kernel.Observer{
					Failed:   func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
					Reported: b.reported,
				}
				b.k = kernel.New(of)
				b.pool = startPool(t, b.k, cfg)
				stop := kerneltest.Start(t, b.k)
				ln, err := b.net.Listen(context.Background(), "tcp", "10.0.0.1:80")
				if err != nil {
					t.Fatal(err)
				}
				go b.serve(ln)
				defer func() {
					stop()
					_ = ln.Close()
					for _, c := range b.peers {
						_ = c.Close()
					}
					b.after(time.Second)
					b.net.Check(t)
				}()
				f(b)
			})
		})
	}
}

func (b *bubble) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.peers = append(b.peers, c)
		b.mu.Unlock()
		go func() {
			_, _ = io.Copy(io.Discard, c)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.ends = append(b.ends, time.Since(b.start))
		}()
	}
}

// after lets some time pass and everything happen.
func (b *bubble) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bubble) closed() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]time.Duration(nil), b.ends...)
}

// get takes 10 ms, and 20 more for a new connection, until the server has it.
func (b *bubble) get() *Conn {
	b.Helper()
	c, err := b.pool.Get(context.Background(), "test", "10.0.0.1", 80)
	if err != nil {
		b.Fatal(err)
	}
	b.after(10 * time.Millisecond)
	return c
}

func (b *bubble) release(c *Conn) {
	b.Helper()
	if err := c.Release(); err != nil {
		b.Fatal(err)
	}
}

func (b *bubble) stats() Stats {
	b.Helper()
	s, err := b.pool.Stats()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bubble) reported(_, cause string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, cause+": "+err.Error())
}

func (b *bubble) reports() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.said...)
}
