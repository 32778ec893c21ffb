package backend

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestB5_CallTimeout: where the connection's turn does not come in time, who gives up
// hears of his own end, and what must happen happens later.
func TestB5_CallTimeout(t *testing.T) {
	lone, err := net.Listen("tcp", "127.0.0.1:0") // which says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer lone.Close()
	k := kernel.New(kernel.Config{Mode: kernel.Serial, CallTimeout: 10 * time.Millisecond, Observer: &kernel.Observer{}})
	kerneltest.Start(t, k)
	other, err := k.SpawnHeld(session.New(session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) })))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Release)
	cfg := Config{Port: lone.Addr().(*net.TCPAddr).Port}
	for name, ask := range map[string]func(context.Context, *Conn) error{
		"Connect": func(ctx context.Context, _ *Conn) error { _, err := Connect(ctx, k, cfg); return err },
		"Request": func(ctx context.Context, c *Conn) error {
			_, err := c.Request(ctx, Message{Name: "double"})
			return err
		},
		"Begin": func(ctx context.Context, c *Conn) error { _, err := c.Begin(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var c *Conn
			if name != "Connect" {
				until(t, "there is a connection", func() (ok bool) { c, err = Open(k, cfg); return err == nil })
			}
			ctx, cancel := context.WithCancel(deadline(t))
			failed := make(chan error, 1)
			go func() {
				err := ask(ctx, c)
				for errors.Is(err, kernel.ErrTimeout) && ctx.Err() == nil { // the machine is busy
					err = ask(ctx, c)
				}
				failed <- err
			}()
			until(t, "it waits", func() bool {
				c, err := connOf(k, "backend", visit{})
				if err != nil || c == nil {
					return false
				}
				s, err := c.State()
				return err == nil && s.Waiting > 0
			})
			busy, free := make(chan struct{}), make(chan struct{})
			if err := evRun.PostFrom(k, other.Address(), func(*kernel.Context) error {
				close(busy)
				<-free
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			<-busy
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v; want that it was given up", err)
			}
			if c != nil {
				c.Close()
			}
			close(free)
			until(t, "the connection is closed", func() bool { _, there := k.Resolve("backend"); return !there })
		})
	}
}
