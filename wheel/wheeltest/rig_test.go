package wheeltest_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// lab is a network on a simulated kernel, without sessions: the test itself moves
// the time.
type lab struct {
	*wheeltest.Network
	t *testing.T
	k *kernel.Kernel
}

func newLab(t *testing.T, cfg wheeltest.Config) *lab {
	n := wheeltest.New(cfg)
	k := kerneltest.New(t, kerneltest.Seed(cfg.Seed), kerneltest.Config(kernel.Config{Network: n}))
	return &lab{n, t, k}
}

func (l *lab) advance(d time.Duration) {
	l.t.Helper()
	kerneltest.Advance(l.t, l.k, d)
}

// settle runs what is due now.
func (l *lab) settle() { l.advance(0) }

// now is how much time has passed.
func (l *lab) now() time.Duration { return l.k.Now().Sub(kerneltest.Epoch) }

func (l *lab) listen(network, address string) *wheeltest.Listener {
	l.t.Helper()
	got, err := l.Listen(context.Background(), network, address)
	if err != nil {
		l.t.Fatal(err)
	}
	return got.(*wheeltest.Listener)
}

// outcome is what came of a dial, and when.
type outcome struct {
	conn   *wheeltest.Conn
	err    error
	at     time.Duration
	times  int
	cancel func()
}

func (l *lab) dial(ctx context.Context, network, address string) *outcome {
	return l.dialFrom(ctx, l, network, address)
}

func (l *lab) dialFrom(ctx context.Context, host kernel.AsyncNetwork, network, address string) *outcome {
	o := new(outcome)
	o.cancel = host.DialAsync(ctx, network, address, func(c net.Conn, err error) {
		o.times++
		o.conn, _ = c.(*wheeltest.Conn)
		o.err, o.at = err, l.now()
	})
	return o
}

// connect returns both ends of a connection to an address, where it also listens.
func (l *lab) connect(network, address string) (client, server *wheeltest.Conn) {
	l.t.Helper()
	ln := l.listen(network, address)
	o := l.dial(context.Background(), network, ln.Addr().String())
	for range 1000 {
		l.settle()
		if c, err := ln.TryAccept(); err == nil {
			_ = ln.Close()
			return o.conn, c.(*wheeltest.Conn)
		}
		l.advance(time.Millisecond)
	}
	l.t.Fatalf("not connected within a second: %v", o.err)
	return nil, nil
}

// get reads what is there now.
func get(t *testing.T, c net.Conn) (string, error) {
	t.Helper()
	p := make([]byte, 1<<16)
	n, err := c.(wheel.Pollable).TryRead(p)
	return string(p[:n]), err
}

func wantRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if got, err := get(t, c); got != want || err != nil {
		t.Errorf("%v reads %q and error %v, want %q", c, got, err, want)
	}
}

func wantReadError(t *testing.T, c net.Conn, want error) {
	t.Helper()
	if got, err := get(t, c); !errors.Is(err, want) {
		t.Errorf("%v reads %q and error %v, want %v", c, got, err, want)
	}
}

func put(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := c.(wheel.Pollable).TryWrite([]byte(s)); n != len(s) || err != nil {
		t.Errorf("%v writes %d of %d bytes, and error %v", c, n, len(s), err)
	}
}

func wantWriteError(t *testing.T, c net.Conn, want error) {
	t.Helper()
	if n, err := c.(wheel.Pollable).TryWrite([]byte("x")); n != 0 || !errors.Is(err, want) {
		t.Errorf("%v writes %d bytes and gets %v, want %v", c, n, err, want)
	}
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || err == nil {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}
