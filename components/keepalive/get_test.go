package keepalive

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
)

func TestGet_ConnectionsAreReused(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		server := newEcho(t)
		p := startPool(t, k, Config{})
		for i := range 3 {
			conn, err := p.Get(deadline(t), "test", "127.0.0.1", server.port())
			if err != nil {
				t.Fatal(err)
			}
			if conn.Reused() != (i > 0) {
				t.Errorf("connection %d: Reused is %v", i, conn.Reused())
			}
			if i == 0 {
				conn.Attach("mine")
			} else if conn.Attached() != "mine" {
				t.Errorf("connection %d: %v is attached", i, conn.Attached())
			}
			if err := conn.Release(); err != nil {
				t.Error(err)
			}
		}
		server.accepted(t, 1)
	})
}

// TestGet_CancelledInTheQueue: the place in the queue is free again.
func TestGet_CancelledInTheQueue(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		server := newEcho(t)
		p := startPool(t, k, Config{MaxPerHost: 1})
		first, err := p.Get(deadline(t), "test", "127.0.0.1", server.port())
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("changed my mind")
		ctx, cancel := context.WithCancelCause(deadline(t))
		go func() {
			for {
				if s, err := p.Stats(); err != nil || s.Waiting == 1 {
					cancel(why)
					return
				}
			}
		}()
		if _, err := p.Get(ctx, "test", "127.0.0.1", server.port()); !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		if s, err := p.Stats(); err != nil || s.Load != (Load{Lent: 1}) {
			t.Errorf("%+v, %v", s, err)
		}
		if err := first.Release(); err != nil {
			t.Error(err)
		}
	})
}

// TestGet_PoolEnds: both by Shutdown and with its kernel.
func TestGet_PoolEnds(t *testing.T) {
	for name, end := range map[string]func(*kernel.Kernel, *Pool){
		"Shutdown": func(_ *kernel.Kernel, p *Pool) { p.Shutdown() },
		"Stop":     func(k *kernel.Kernel, _ *Pool) { k.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, k *kernel.Kernel) {
				server := newEcho(t)
				p := startPool(t, k, Config{MaxPerHost: 1})
				if _, err := p.Get(deadline(t), "test", "127.0.0.1", server.port()); err != nil {
					t.Fatal(err)
				}
				go func() {
					for s, err := p.Stats(); err == nil && s.Waiting == 0; s, err = p.Stats() {
					}
					end(k, p)
				}()
				if _, err := p.Get(deadline(t), "test", "127.0.0.1", server.port()); !errors.Is(err, ErrShutDown) {
					t.Errorf("got %v, want %v", err, ErrShutDown)
				}
			})
		})
	}
}
