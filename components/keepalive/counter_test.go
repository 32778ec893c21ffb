package keepalive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestA31_A89_CounterWaitsForNoTurn: while a handler blocks, in serial mode the whole
// kernel with it, Get has what is idle, and Release has brought it back when it
// returns. What needs more waits.
func TestA31_A89_CounterWaitsForNoTurn(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		b.release(b.get())
		free := make(chan struct{})
		addr, err := b.k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error { return c.AliasSet("blocks") }),
			session.Handle("block", func(*kernel.Context) error { <-free; return nil }),
			session.Handle("end", func(c *kernel.Context) error { return c.AliasRemove("blocks") }),
		))
		if err != nil {
			b.Fatal(err)
		}
		if err := b.k.Post(addr, "block"); err != nil {
			b.Fatal(err)
		}
		b.after(0)
		for range 3 {
			c := b.get()
			if !c.Reused() {
				b.Error("it is a new one")
			}
			b.release(c)
			if err := c.Release(); !errors.Is(err, ErrNotLent) {
				b.Errorf("the second Release: %v", err)
			}
		}
		last := b.get()
		if b.k.Mode() == kernel.Serial {
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			if _, err := b.pool.Get(ctx, "test", "10.0.0.1", 80); !errors.Is(err, context.DeadlineExceeded) {
				b.Errorf("a connection was opened without a turn: %v", err)
			}
		}
		close(free)
		b.after(0)
		if s := b.stats(); s.Load != (Load{Lent: 1}) || s.Total.Immediate != 4 || s.Waits.Count != 5 {
			b.Errorf("%+v, %+v, waits %+v", s.Load, s.Total, s.Waits)
		}
		b.release(last)
		if err := b.k.Post(addr, "end"); err != nil {
			b.Error(err)
		}
	})
}

// TestA93_CounterLendsNothingDead: it is left to the pool's session, which closes it
// and counts it.
func TestA93_CounterLendsNothingDead(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		one, two := b.get(), b.get()
		b.release(one)
		b.release(two)
		_ = b.peers[1].Close()
		b.after(20 * time.Millisecond)
		c := b.get()
		if !c.Reused() || c.l.open != one.l.open {
			b.Error("not the one that stands")
		}
		if s := b.stats(); s.Load != (Load{Lent: 1}) || s.Total.Dead != 1 || s.Total.Immediate != 1 {
			b.Errorf("%+v, %+v", s.Load, s.Total)
		}
		b.release(c)
	})
}

// TestA58_A59_CounterOvertakesNobody: whoever waits gets what is given back, in the
// order of their coming, before those who come later.
func TestA58_A59_CounterOvertakesNobody(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		c := b.get()
		got := make(chan int, 3)
		for i := range 3 {
			go func() {
				c, err := b.pool.Get(context.Background(), "test", "10.0.0.1", 80)
				if err != nil {
					b.Error(err)
					return
				}
				got <- i
				b.release(c)
			}()
			b.after(0)
		}
		b.release(c)
		b.release(b.get())
		for want := range 3 {
			if i := <-got; i != want {
				b.Errorf("%d came in place %d", i, want)
			}
		}
		if s := b.stats(); s.Total.Deferred < 3 || s.Total.Opened != 1 {
			b.Errorf("%+v", s.Total)
		}
	})
}

// TestShutDown_A107_A108_AtTheCounter: what is idle is not lent any more, and what
// comes back is closed, also after the pool's kernel has ended without a word.
func TestShutDown_A107_A108_AtTheCounter(t *testing.T) {
	for _, end := range []func(b *bubble){
		func(b *bubble) { b.pool.Shutdown() },
		func(b *bubble) { b.k.Stop(); b.after(0) },
	} {
		inBubbles(t, Config{}, func(b *bubble) {
			one, two := b.get(), b.get()
			b.release(one)
			end(b)
			if _, err := b.pool.Get(context.Background(), "test", "10.0.0.1", 80); !errors.Is(err, ErrShutDown) {
				b.Errorf("Get: %v", err)
			}
			b.release(two)
			b.after(20 * time.Millisecond)
			if n := len(b.closed()); n != 2 {
				b.Errorf("%d connections were closed", n)
			}
		})
	}
}

// TestA3_A45_CrowdAtTheCounter: goroutines and sessions that ask at the same time, some
// for new connections, share what the limits allow. Nobody has a connection that
// somebody else has.
func TestA3_A45_CrowdAtTheCounter(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		const perHost, goroutines, sessions, each = 3, 8, 4, 150
		e := newEcho(t)
		p := startPool(t, k, Config{MaxPerHost: perHost})
		var mu sync.Mutex
		users := map[net.Conn]bool{}
		var lent, answered atomic.Int64
		use := func(c *Conn, close bool) error {
			answered.Add(1)
			conn := c.NetConn()
			mu.Lock()
			if users[conn] {
				t.Error("two have the same connection")
			}
			users[conn] = true
			mu.Unlock()
			if n := lent.Add(1); n > perHost {
				t.Errorf("%d are lent", n)
			}
			lent.Add(-1)
			mu.Lock()
			delete(users, conn)
			mu.Unlock()
			if close {
				return c.Close()
			}
			return c.Release()
		}
		var all sync.WaitGroup
		for g := range goroutines {
			all.Go(func() {
				for i := range each {
					r := Request{Scheme: "test", Addr: "127.0.0.1", Port: e.port(), Fresh: i%50 == g}
					c, err := p.GetFor(deadline(t), r)
					if err == nil {
						err = use(c, i%60 == g)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range sessions {
			all.Add(1)
			left := each
			ask := func(c *kernel.Context) error {
				_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: e.port(), Event: evGot})
				return err
			}
			if _, err := k.Spawn(session.New(session.Handle("_start", ask), session.On(evGot, func(c *kernel.Context, r Response) error {
				err := r.Err
				if err == nil {
					err = use(r.Conn, false)
				}
				if left--; err != nil || left == 0 {
					all.Done()
					return err
				}
				return ask(c)
			}))); err != nil {
				t.Fatal(err)
			}
		}
		all.Wait()
		s, err := p.Stats()
		if err != nil {
			t.Fatal(err)
		}
		const want = (goroutines + sessions) * each
		if n := answered.Load(); n != want || s.Total.Answered() != want || s.Waiting+s.Opening+s.Lent != 0 || s.Waits.Count != want {
			t.Errorf("%d answers; %+v, %+v, %d waits", n, s.Load, s.Total, s.Waits.Count)
		}
		if fmt.Sprint(s.Total.Refused) != fmt.Sprint(Refusals{}) {
			t.Errorf("%+v", s.Total.Refused)
		}
	})
}
