package wheeltest_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

const ms = time.Millisecond

// Every time below follows from Delay and Bandwidth, to the nanosecond.
func TestArrivalTimes(t *testing.T) {
	l := newLab(t, wheeltest.Config{Segment: 100, Link: wheeltest.Link{Delay: 10 * ms, Bandwidth: 1000}})
	ln := l.listen("tcp", "10.0.0.1:80")
	o := l.dial(context.Background(), "tcp", "10.0.0.1:80")
	var came []string
	note := func(what string) { came = append(came, fmt.Sprint(what, " ", l.now())) }
	var server net.Conn
	ln.Notify(func() { note("accept") })
	l.advance(30*ms - 1)
	if _, err := ln.TryAccept(); err != wheel.ErrAgain {
		t.Fatalf("accept a nanosecond too early: %v", err)
	}
	expect(t, "connected after a round trip", o.at, 20*ms)
	l.advance(1)
	server, err := ln.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	client := o.conn
	server.(*wheeltest.Conn).Notify(func() { note("readable") }, nil)
	put(t, client, string(make([]byte, 250)))
	for _, step := range []struct {
		until time.Duration
		bytes int
	}{{140*ms - 1, 0}, {140 * ms, 100}, {240*ms - 1, 0}, {240 * ms, 100}, {290*ms - 1, 0}, {290 * ms, 50}} {
		l.advance(step.until - l.now())
		s, _ := get(t, server)
		expect(t, fmt.Sprint("bytes at ", step.until), len(s), step.bytes)
	}
	_ = client.Close()
	_ = server.Close()
	_ = ln.Close()
	l.advance(time.Second)
	want := []string{"accept 30ms", "readable 140ms", "readable 240ms", "readable 290ms"}
	expect(t, "notified", fmt.Sprint(came), fmt.Sprint(want))
	l.Check(t)
}

// Two connections between the same hosts share the bandwidth; two directions don't.
func TestBandwidthIsShared(t *testing.T) {
	l := newLab(t, wheeltest.Config{Segment: 100, Link: wheeltest.Link{Bandwidth: 1000}})
	a, b := l.Pair()
	c, d := l.Pair()
	put(t, a, string(make([]byte, 100)))
	put(t, c, string(make([]byte, 100)))
	l.advance(100 * ms)
	s, _ := get(t, b)
	expect(t, "first connection after 100ms", len(s), 100)
	wantReadError(t, d, wheel.ErrAgain)
	l.advance(100 * ms)
	s, _ = get(t, d)
	expect(t, "second connection after 200ms", len(s), 100)
}

// Nothing that is sent arrives inside the call that sends it.
func TestNothingArrivesInsideTheCaller(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	a, b := l.Pair()
	told := 0
	b.Notify(func() { told++ }, nil)
	put(t, a, "hello")
	wantReadError(t, b, wheel.ErrAgain)
	expect(t, "told", told, 0)
	l.settle()
	expect(t, "told", told, 1)
	wantRead(t, b, "hello")
	_ = a.Close()
	wantReadError(t, b, wheel.ErrAgain)

	ln := l.listen("tcp", "127.0.0.1:80")
	o := l.dial(context.Background(), "tcp", "127.0.0.1:80")
	expect(t, "answers to a dial, in the call", o.times, 0)
	if _, err := ln.TryAccept(); err != wheel.ErrAgain {
		t.Errorf("accept in the call: %v", err)
	}
	l.settle()
	expect(t, "answers to a dial", o.times, 1)
	expect(t, "time that passed", l.now(), 0)
}

// Without a kernel, and with one that is not simulated, time is the system's or
// the bubble's.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := wheeltest.New(wheeltest.Config{Link: wheeltest.Link{Delay: 50 * ms}})
		for range 2 {
			kernel.New(kernel.Config{Network: n})
		}
		began := time.Now()
		a, b := dialled(t, n, "tcp", "127.0.0.1:0")
		expect(t, "dial and accept", time.Since(began), 150*ms)
		go func() { _, _ = a.Write([]byte("hello")) }()
		_, err := b.Read(make([]byte, 5))
		expect(t, "read", time.Since(began), 200*ms)
		expect(t, "error", err, nil)
		_ = b.SetReadDeadline(time.Now().Add(time.Second))
		_, err = b.Read(make([]byte, 5))
		wantError(t, "read", err, os.ErrDeadlineExceeded)
		expect(t, "deadline", time.Since(began), 1200*ms)

		n.Between("localhost", "localhost", wheeltest.Link{Drop: true})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err = n.Dial(ctx, "tcp", "127.0.0.1:1")
		wantError(t, "dial into a black hole", err, context.DeadlineExceeded)
		expect(t, "given up", time.Since(began), 1200*ms+time.Minute)
		_ = a.Close()
		_ = b.Close()
		n.Check(t)
	})
}

// A blocking call would wait for a time that nobody moves.
func TestBlockingCallsAreRefusedInVirtualTime(t *testing.T) {
	l := newLab(t, wheeltest.Config{Buffer: 10})
	a, b := l.Pair()
	_, err := a.Read(make([]byte, 1))
	wantError(t, "read", err, wheeltest.ErrWouldWait)
	n, err := a.Write(make([]byte, 11))
	expect(t, "written", n, 10)
	wantError(t, "write", err, wheeltest.ErrWouldWait)
	_, err = l.listen("tcp", ":80").Accept()
	wantError(t, "accept", err, wheeltest.ErrWouldWait)
	_, err = l.Dial(context.Background(), "tcp", "127.0.0.1:80")
	wantError(t, "dial", err, wheeltest.ErrWouldWait)
	p, err := l.ListenPacket(context.Background(), "udp", ":0")
	expect(t, "error", err, nil)
	_, _, err = p.ReadFrom(make([]byte, 1))
	wantError(t, "read from", err, wheeltest.ErrWouldWait)
	l.settle()
	if n, err := b.Read(make([]byte, 100)); n != 10 || err != nil { // this one need not wait
		t.Errorf("read: %d bytes, error %v", n, err)
	}
}

// Try methods keep deadlines, too, and are told of them.
func TestDeadlinesInVirtualTime(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	a, _ := l.Pair()
	told := time.Duration(-1)
	a.Notify(func() { told = l.now() }, nil)
	_ = a.SetReadDeadline(l.k.Now().Add(time.Second))
	l.advance(time.Second - 1)
	wantReadError(t, a, wheel.ErrAgain)
	l.advance(1)
	wantReadError(t, a, os.ErrDeadlineExceeded)
	expect(t, "told", told, time.Second)
	put(t, a, "fine")
	_ = a.SetDeadline(time.Time{})
	wantReadError(t, a, wheel.ErrAgain)
	_ = a.SetWriteDeadline(time.Unix(1, 0))
	wantWriteError(t, a, os.ErrDeadlineExceeded)
}

// What was taken back, closed or healed leaves no timer that would move the clock.
func TestNothingIsPendingAfterwards(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	a, b := l.Pair()
	_ = a.SetDeadline(l.k.Now().Add(time.Hour))
	_ = b.SetDeadline(l.k.Now().Add(time.Hour))
	_ = b.SetDeadline(time.Time{})
	_ = a.Close()
	_ = b.Close()
	l.settle()
	if l.k.Advance(l.k.Now().Add(24 * time.Hour)) {
		t.Error("a timer is still set")
	}
}

// A context's end is noticed with the answer.
func TestContextInVirtualTime(t *testing.T) {
	l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: ms}})
	ln := l.listen("tcp", ":80")
	ctx, cancel := context.WithCancel(context.Background())
	o := l.dial(ctx, "tcp", "127.0.0.1:80")
	cancel()
	late := l.dial(ctx, "tcp", "127.0.0.1:80")
	l.advance(time.Second)
	wantError(t, "dial", o.err, context.Canceled)
	wantError(t, "dial whose context had ended", late.err, context.Canceled)
	expect(t, "answered", late.at, 0)
	_ = ln.Close()
	l.settle()
	l.Check(t)
}

func TestAfter(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	a, b := l.Pair()
	l.After(time.Second, func() { _, _ = a.TryWrite([]byte("now")) })
	l.advance(time.Second - 1)
	wantReadError(t, b, wheel.ErrAgain)
	l.advance(1)
	wantRead(t, b, "now")
}

func TestAttach(t *testing.T) {
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", what)
			}
		}()
		f()
	}
	simulated := kernel.Config{Mode: kernel.Simulated}
	with := func(cfg kernel.Config, n *wheeltest.Network) kernel.Config { cfg.Network = n; return cfg }
	n := wheeltest.New(wheeltest.Config{})
	kernel.New(with(simulated, n))
	panics("a second simulated kernel", func() { kernel.New(with(simulated, n)) })
	panics("a real kernel beside a simulated one", func() { kernel.New(with(kernel.Config{}, n)) })
	n = wheeltest.New(wheeltest.Config{})
	kernel.New(with(kernel.Config{}, n))
	panics("a simulated kernel beside a real one", func() { kernel.New(with(simulated, n)) })
	n = wheeltest.New(wheeltest.Config{})
	_, _ = n.Pair()
	kernel.New(with(simulated, n))
	n = wheeltest.New(wheeltest.Config{})
	n.After(time.Hour, func() {})
	panics("a network that has begun", func() { kernel.New(with(simulated, n)) })
	n = wheeltest.New(wheeltest.Config{Clock: kernel.New(simulated)})
	kernel.New(with(simulated, n))
	kernel.New(with(simulated, n))
	panics("a real kernel beside a simulated clock", func() { kernel.New(with(kernel.Config{}, n)) })
	for what, cfg := range map[string]wheeltest.Config{
		"Clock": {Clock: kernel.New(kernel.Config{})}, "Buffer": {Buffer: -1}, "Segment": {Segment: -1}, "Backlog": {Backlog: -1}, "LookupDelay": {LookupDelay: -1},
		"Loss": {Link: wheeltest.Link{Loss: 1.1}}, "Reset": {Link: wheeltest.Link{Reset: -1}}, "Delay": {Link: wheeltest.Link{Delay: -1}},
	} {
		panics(what, func() { wheeltest.New(cfg) })
	}
	panics("SetHost", func() { wheeltest.New(wheeltest.Config{}).SetHost("a", "b") })
}
