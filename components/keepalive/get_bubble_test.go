package keepalive

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

var errChanged = errors.New("changed my mind")

// TestGet_CancelledWhileOpening gives its place back: to be opened anew at once.
func TestGet_CancelledWhileOpening(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		ctx, cancel := context.WithTimeoutCause(b.Context(), 15*time.Millisecond, errChanged)
		defer cancel()
		_, err := b.pool.Get(ctx, "test", "10.0.0.1", 80)
		var e *Error
		if !errors.Is(err, errChanged) || !errors.As(err, &e) || e.Key.Addr != "10.0.0.1" || e.Function != "connect" {
			b.Errorf("got %v", err)
		}
		b.release(b.get())
		if s := b.stats(); s.Load != (Load{Idle: 1}) {
			b.Errorf("%+v", s.Load)
		}
	})
}

// TestGet_KernelStopsWhileOpening: whoever waits for the connection is told, and the
// one that comes yet is closed.
func TestGet_KernelStopsWhileOpening(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		got := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := b.pool.Get(b.Context(), "test", "10.0.0.1", 80)
				got <- err
			}()
		}
		b.after(15 * time.Millisecond) // of 20
		b.k.Stop()
		for range 2 {
			if err := <-got; !errors.Is(err, ErrShutDown) {
				b.Errorf("got %v", err)
			}
		}
		b.after(time.Second)
		if n := len(b.net.Conns()); n != 0 {
			b.Errorf("%d connections are open", n)
		}
	})
}

// TestA103_Get_AnsweredButNotTaken: the answer is withdrawn, and its connection is
// lent to the next.
func TestA103_Get_AnsweredButNotTaken(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		o, err := b.pool.order(&Request{Scheme: "test", Addr: "10.0.0.1", Port: 80})
		if err != nil {
			b.Fatal(err)
		}
		o.get = &getting{}
		if _, err := b.k.Call(b.Context(), b.pool.addr, evAllocate.Name(), o); err != nil {
			b.Fatal(err)
		}
		<-o.get.done
		if err := b.pool.Deallocate(o.id); err != nil {
			b.Fatal(err)
		}
		if conn, _ := o.get.take(); conn.NetConn() != nil {
			b.Error("it was withdrawn and is given away")
		}
		c := b.get()
		if !c.Reused() || len(b.peers) != 1 {
			b.Errorf("reused: %v, connections: %d", c.Reused(), len(b.peers))
		}
		b.release(c)
	})
}

// TestA45_A89_Get_ManyAtOnce: goroutines whose time is over at the very moment of an
// opening, of an answer or of nothing. Each gets a connection or an error, and none
// is lost.
func TestA45_A89_Get_ManyAtOnce(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 3}, func(b *bubble) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		n := map[bool]int{}
		for i := range uint64(40) {
			random := rand.New(rand.NewPCG(i, 0))
			wg.Go(func() {
				for range 10 {
					ctx, cancel := context.WithTimeoutCause(b.Context(), time.Duration(random.IntN(9))*10*time.Millisecond, errChanged)
					c, err := b.pool.Get(ctx, "test", "10.0.0.1", 80)
					mu.Lock()
					n[err == nil]++
					mu.Unlock()
					switch {
					case err != nil && !errors.Is(err, errChanged):
						b.Error(err)
					case err == nil && c.NetConn() == nil:
						b.Error("got a connection that is not lent")
					case err == nil:
						time.Sleep(time.Duration(random.IntN(3)) * 10 * time.Millisecond)
						if how := []func(*Conn) error{(*Conn).Release, (*Conn).Release, (*Conn).Close}[random.IntN(3)]; how(c) != nil {
							b.Error("not taken back")
						}
					}
					cancel()
				}
			})
		}
		wg.Wait()
		b.after(time.Second)
		if s := b.stats(); s.Waiting+s.Opening+s.Lent != 0 || n[true]+n[false] != 400 || n[true] < 10 || n[false] < 10 {
			b.Errorf("%+v, %v", s.Load, n)
		}
		b.Logf("connections and errors: %v", n)
	})
}

// TestGet_WhenTheKernelRuns: before Run it waits, after it there is nothing to ask.
func TestGet_WhenTheKernelRuns(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			server := newEcho(t)
			k := kernel.New(kernel.Config{Mode: m})
			p := startPool(t, k, Config{})
			ctx, cancel := context.WithTimeoutCause(deadline(t), time.Millisecond, errChanged)
			defer cancel()
			if _, err := p.Get(ctx, "test", "127.0.0.1", server.port()); !errors.Is(err, errChanged) {
				t.Errorf("before Run: %v", err)
			}
			got := make(chan error, 1)
			go func() {
				c, err := p.Get(deadline(t), "test", "127.0.0.1", server.port())
				if err == nil {
					err = c.Release()
				}
				got <- err
				p.Shutdown()
			}()
			release := k.Hold("test")
			go func() {
				if err := <-got; err != nil {
					t.Errorf("before Run, which then came: %v", err)
				}
				release()
			}()
			if err := k.Run(deadline(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Get(deadline(t), "test", "127.0.0.1", server.port()); !errors.Is(err, ErrShutDown) {
				t.Errorf("after Run: %v", err)
			}
		})
	}
}

func TestGet_IsRefusedInSimulatedMode(t *testing.T) {
	k := kernel.New(kernel.Config{Mode: kernel.Simulated})
	p := startPool(t, k, Config{})
	if _, err := p.Get(deadline(t), "test", "127.0.0.1", 1); !errors.Is(err, ErrWouldWait) {
		t.Errorf("got %v, want %v", err, ErrWouldWait)
	}
}

// stuck blocks whoever asks it.
type stuck chan struct{}

func (s stuck) Err() error { <-s; return nil }

// TestGet_CancelledWhileThePoolIsBusy, for longer than Config.CallTimeout: Get
// returns, and what it is answered later comes back. LeakAfter has every loan take a
// turn.
func TestGet_CancelledWhileThePoolIsBusy(t *testing.T) {
	inBubblesOf(t, kernel.Config{CallTimeout: 50 * time.Millisecond}, Config{MaxPerHost: 1, LeakAfter: time.Hour}, func(b *bubble) {
		first, free := b.get(), make(stuck)
		other := b.other()
		other.Attach(free)
		go other.Release()
		b.after(0) // waits for what was attached, without the pool
		free <- struct{}{}
		b.after(0)

		got := make(chan error, 1)
		ctx, cancel := context.WithCancelCause(b.Context())
		go func() {
			_, err := b.pool.Get(ctx, "test", "10.0.0.1", 80)
			got <- err
		}()
		b.after(0)
		asks := make(chan *Conn)
		go func() { asks <- b.other() }() // in the pool's turn
		b.after(0)
		cancel(errChanged)
		b.after(time.Second)
		if err := <-got; !errors.Is(err, errChanged) {
			b.Errorf("got %v", err)
		}
		free <- struct{}{}
		other = <-asks
		if s := b.stats(); s.Load != (Load{Lent: 2, Waiting: 1}) {
			b.Errorf("%+v", s.Load)
		}
		b.release(first)
		b.after(0)
		if s := b.stats(); s.Load != (Load{Lent: 1}) {
			b.Errorf("what came too late is still lent: %+v", s.Load)
		}
		if err := other.Close(); err != nil {
			b.Error(err)
		}
	})
}
