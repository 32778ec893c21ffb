package wheeltest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

func TestReset(t *testing.T) {
	l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: 5 * ms}})
	a, b := l.connect("tcp", "10.0.0.1:80")
	put(t, a, "arrived")
	l.advance(5 * ms)
	put(t, a, "lost")
	a.Reset()
	put(t, a, "lost, too") // nothing happens inside the call
	l.settle()
	wantReadError(t, a, syscall.ECONNRESET)
	wantRead(t, b, "arrived")
	l.advance(time.Hour)
	wantWriteError(t, b, syscall.ECONNRESET)
	for _, c := range []net.Conn{a, b} {
		wantReadError(t, c, io.EOF)
		wantWriteError(t, c, syscall.EPIPE)
	}
	expect(t, "resets", l.Stats().Resets, 2)
}

// Link.Reset: some connection breaks sooner or later, and both ends know.
func TestLinkReset(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		l := newLab(t, wheeltest.Config{Seed: seed, Link: wheeltest.Link{Reset: 0.1}})
		a, b := l.Pair()
		var err error
		for i := 0; err == nil && i < 1000; i++ {
			if _, err = a.TryWrite([]byte("x")); err == nil {
				l.settle()
				_, _ = get(t, b)
				l.settle()
			}
		}
		wantError(t, "write", err, syscall.ECONNRESET)
	})
}

func TestLose(t *testing.T) {
	l := newLab(t, wheeltest.Config{Buffer: 10})
	a, b := l.Pair()
	put(t, a, "1234")
	a.Lose()
	put(t, a, "567890")
	wantWriteError(t, a, wheel.ErrAgain)
	put(t, b, "x")
	_ = b.Close()
	l.advance(time.Hour)
	wantReadError(t, a, wheel.ErrAgain)
	wantWriteError(t, a, wheel.ErrAgain)
}

func TestStall(t *testing.T) {
	l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: ms}})
	a, b := l.Pair()
	a.Stall(time.Second)
	a.Stall(2 * time.Second)
	put(t, a, "one")
	put(t, b, "two")
	l.advance(2 * time.Second)
	wantReadError(t, a, wheel.ErrAgain)
	put(t, a, "three")
	l.advance(ms)
	wantRead(t, a, "two")
	wantRead(t, b, "onethree")
}

// A partition holds back what belongs to connections, from the first packet on,
// and loses nothing of it.
func TestCutAndHeal(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		l := newLab(t, wheeltest.Config{Seed: seed, Segment: 2, Link: wheeltest.Link{Delay: 5 * ms, Jitter: 5 * ms}})
		l.SetHost("db.example", "10.0.0.2", "fd00::2")
		a, b := l.connect("tcp", "db.example:80")
		put(t, a, "before ")
		l.Cut("localhost", "10.0.0.2")
		put(t, a, "after")
		ln := l.listen("tcp", "[fd00::2]:81") // the same host
		o := l.dial(context.Background(), "tcp", "[fd00::2]:81")
		l.advance(time.Minute)
		wantReadError(t, b, wheel.ErrAgain)
		expect(t, "dials answered", o.times, 0)
		put(t, a, " all")
		l.Heal("db.example", "localhost")
		l.advance(time.Second)
		wantRead(t, b, "before after all")
		expect(t, "dials answered", o.times, 1)
		expect(t, "error", o.err, nil)
		_ = ln
	})
}

func TestCutOneWay(t *testing.T) {
	l := newLab(t, wheeltest.Config{Buffer: 5})
	a, b := l.connect("tcp", "10.0.0.2:80")
	l.CutOneWay("10.0.0.2", "localhost")
	put(t, a, "there")
	l.settle()
	wantRead(t, b, "there")
	put(t, b, "back")
	l.settle()
	wantReadError(t, a, wheel.ErrAgain)
	wantWriteError(t, a, wheel.ErrAgain) // what says that there is room is held, too
	l.Heal("10.0.0.2", "localhost")
	l.settle()
	wantRead(t, a, "back")
	put(t, a, "more")
}

// The reset of a connection is not sent again: who did not hear of it is told when
// it speaks.
func TestResetIsLostInACut(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	a, b := l.connect("tcp", "10.0.0.2:80")
	l.Cut("localhost", "10.0.0.2")
	abort(a)
	l.settle()
	l.Heal("localhost", "10.0.0.2")
	l.advance(time.Hour)
	wantReadError(t, b, wheel.ErrAgain)
	put(t, b, "anybody there?")
	l.settle()
	wantReadError(t, b, syscall.ECONNRESET)
}

func TestBlackHole(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	l.Between("localhost", "10.0.0.9", wheeltest.Link{Drop: true})
	o := l.dial(context.Background(), "tcp", "10.0.0.9:80")
	given := l.dial(context.Background(), "tcp", "10.0.0.9:80")
	l.advance(1000 * time.Hour)
	expect(t, "answers", o.times, 0)
	given.cancel()
	expect(t, "open dials", len(l.Open()), 1)
	l.Between("localhost", "10.0.0.9", wheeltest.Link{Delay: ms})
	l.advance(2 * ms)
	wantError(t, "dial", o.err, syscall.ECONNREFUSED)
	expect(t, "answers to one who had cancelled", given.times, 0)
	l.Check(t)
}

func TestFailDialAndLookup(t *testing.T) {
	l := newLab(t, wheeltest.Config{LookupDelay: 3 * ms})
	l.SetHost("db.example", "10.0.0.2")
	ln := l.listen("tcp", "db.example:80")
	odd := errors.New("odd")
	l.FailDial("db.example:80", syscall.EHOSTUNREACH, odd)
	l.FailLookup("DB.example", &net.DNSError{Err: "server misbehaving", IsTemporary: true})
	var errs []error
	for range 4 {
		o := l.dial(context.Background(), "tcp", "db.example:80")
		l.advance(3 * ms)
		expect(t, "answers", o.times, 1)
		errs = append(errs, o.err)
	}
	wantError(t, "first dial", errs[0], syscall.EHOSTUNREACH)
	if sys := (*os.SyscallError)(nil); !errors.As(errs[0], &sys) {
		t.Errorf("%v is not an *os.SyscallError", errs[0])
	}
	wantError(t, "second dial", errs[1], odd)
	if dns := (*net.DNSError)(nil); !errors.As(errs[2], &dns) || !dns.IsTemporary {
		t.Errorf("third dial: %v, want a temporary *net.DNSError", errs[2])
	}
	expect(t, "fourth dial", errs[3], nil)
	_ = ln
}

func TestFailAccept(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	ln := l.listen("tcp", "127.0.0.1:80")
	told := 0
	ln.Notify(func() { told++ })
	l.FailAccept("127.0.0.1:80", syscall.EMFILE)
	ln.FailAccept(syscall.ECONNABORTED)
	expect(t, "told", told, 2)
	o := l.dial(context.Background(), "tcp", "127.0.0.1:80")
	l.settle()
	_, err := ln.TryAccept()
	wantError(t, "first accept", err, syscall.EMFILE)
	if !strings.Contains(err.Error(), "accept tcp 127.0.0.1:80: accept4: ") {
		t.Errorf("error %q is not like the system's", err)
	}
	_, err = ln.TryAccept()
	wantError(t, "second accept", err, syscall.ECONNABORTED)
	c, err := ln.TryAccept()
	if err != nil || c.RemoteAddr().String() != o.conn.LocalAddr().String() {
		t.Errorf("third accept: %v, %v", c, err)
	}
	_, err = ln.TryAccept()
	wantError(t, "fourth accept", err, wheel.ErrAgain)
	defer func() {
		if !strings.Contains(fmt.Sprint(recover()), `"127.0.0.1:81"`) {
			t.Error("FailAccept for nobody does not say so")
		}
	}()
	l.FailAccept("127.0.0.1:81", syscall.EMFILE)
}

// Who finds the backlog full waits, and comes in order.
func TestBacklog(t *testing.T) {
	l := newLab(t, wheeltest.Config{Backlog: 2, Link: wheeltest.Link{Delay: ms}})
	ln := l.listen("tcp", "127.0.0.1:80")
	var dials []*outcome
	for range 5 {
		dials = append(dials, l.dial(context.Background(), "tcp", "127.0.0.1:80"))
	}
	connected := func() (n int) {
		l.advance(time.Second)
		for _, o := range dials {
			n += o.times
		}
		return n
	}
	expect(t, "connected", connected(), 2)
	dials[2].cancel()
	c, err := ln.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "accepted", c.RemoteAddr().String(), dials[0].conn.LocalAddr().String())
	expect(t, "connected after an accept", connected(), 3)
	expect(t, "answers to one who had cancelled", dials[2].times, 0)
	ln.SetBacklog(3)
	expect(t, "connected with more room", connected(), 4)
	late := l.dial(context.Background(), "tcp", "127.0.0.1:80")
	l.advance(time.Second)
	_ = ln.Close()
	l.advance(time.Second)
	wantError(t, "one who waited when the listener closed", late.err, syscall.ECONNREFUSED)
	wantReadError(t, dials[1].conn, syscall.ECONNRESET)
	_, err = ln.TryAccept()
	wantError(t, "accept", err, net.ErrClosed)
}

// A dial that was given up before the handshake's end leaves nothing at the listener.
func TestDialGivenUpHalfWay(t *testing.T) {
	for _, after := range []time.Duration{0, ms, 2*ms - 1, 2 * ms, 3 * ms} {
		t.Run(after.String(), func(t *testing.T) {
			l := newLab(t, wheeltest.Config{Backlog: 1, Link: wheeltest.Link{Delay: ms}})
			ln := l.listen("tcp", "127.0.0.1:80")
			o := l.dial(context.Background(), "tcp", "127.0.0.1:80")
			l.advance(after)
			o.cancel()
			o.cancel()
			l.advance(time.Second)
			_, err := ln.TryAccept()
			if done := after >= 2*ms; o.times == 1 != done || (err == nil) != done {
				t.Errorf("%d answers, accept: %v", o.times, err)
			}
			next := l.dial(context.Background(), "tcp", "127.0.0.1:80")
			l.advance(time.Second)
			if _, err := ln.TryAccept(); err != nil || next.err != nil {
				t.Errorf("the next one: dial %v, accept %v", next.err, err)
			}
		})
	}
}

// What a dial that was given up leaves at the other side goes, even if nobody could
// say so at the time.
func TestDialGivenUpInACut(t *testing.T) {
	l := newLab(t, wheeltest.Config{Backlog: 1, Link: wheeltest.Link{Delay: ms}})
	ln := l.listen("tcp", "10.0.0.2:80")
	o := l.dial(context.Background(), "tcp", "10.0.0.2:80")
	l.advance(ms) // the listener has answered
	l.CutOneWay("localhost", "10.0.0.2")
	o.cancel()
	l.advance(time.Second)
	l.Heal("localhost", "10.0.0.2")
	next := l.dial(context.Background(), "tcp", "10.0.0.2:80")
	l.advance(time.Second)
	if _, err := ln.TryAccept(); err != nil || next.err != nil {
		t.Errorf("the next one: dial %v, accept %v", next.err, err)
	}
}
