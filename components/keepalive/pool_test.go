package keepalive

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func TestA27_A34_A35_A38_LentReleasedLentAgain(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{}))
		id := u.allocate(e.port())
		r := u.take()
		if r.Err != nil || r.ID != id || r.FromCache != "" || r.Context != "ctx" || r.Scheme != "test" || r.Addr != "127.0.0.1" ||
			r.Port != e.port() || r.ForScheme != "test" || r.ForAddr != r.Addr || r.ForPort != r.Port {
			t.Fatalf("got %+v", r)
		}
		first := r.Conn.NetConn()
		if err := r.Conn.Release(); err != nil {
			t.Fatal(err)
		}
		if r.Conn.NetConn() != nil {
			t.Fatal("a released Conn still gives its connection away")
		}
		if err := r.Conn.Release(); !errors.Is(err, ErrNotLent) {
			t.Fatalf("released twice (A88): %v", err)
		}
		u.allocate(e.port())
		if r := u.take(); r.FromCache != "immediate" || r.Conn.NetConn() != first {
			t.Fatalf("got %+v", r)
		}
	})
}

func TestA38_A72_A73_Deferred(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{MaxPerHost: 1}))
		c := u.conn(e.port())
		u.allocate(e.port())
		if len(u.got) != 0 {
			t.Fatal("the limit does not hold")
		}
		if err := c.Release(); err != nil {
			t.Fatal(err)
		}
		if r := u.take(); r.Err != nil || r.FromCache != "deferred" {
			t.Fatalf("got %+v", r)
		}
		e.accepted(t, 1)
	})
}

func TestA43_Refused(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free := ln.Addr().(*net.TCPAddr).Port
		ln.Close()
		u := newUser(t, k, startPool(t, k, Config{}))
		u.allocate(free)
		r := u.take()
		if r.Conn != nil || r.Function != "connect" || !errors.Is(r.Err, syscall.ECONNREFUSED) || r.Port != free {
			t.Fatalf("got %+v", r)
		}
	})
}

func TestA8_BadBindAddress(t *testing.T) {
	e := newEcho(t)
	k := running(t, kernel.Parallel)
	u := newUser(t, k, startPool(t, k, Config{BindAddress: "192.0.2.1"}))
	u.allocate(e.port())
	if r := u.take(); r.Function != "bind" || !errors.Is(r.Err, syscall.EADDRNOTAVAIL) {
		t.Fatalf("got %+v", r)
	}
	u = newUser(t, k, startPool(t, k, Config{BindAddress: "127.0.0.2"}))
	if from := u.conn(e.port()).NetConn().LocalAddr().String(); !strings.HasPrefix(from, "127.0.0.2:") {
		t.Fatalf("connected from %v", from)
	}
}

func TestA86_A87_A92_A93_R4_R5_R6_R7_NotFitToBeLentAgain(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		for name, spoil := range map[string]func(e *echo, c net.Conn){
			"closed by its user": func(_ *echo, c net.Conn) { c.Close() },
			"half closed":        func(_ *echo, c net.Conn) { c.(*net.TCPConn).CloseRead() },
			"unread input":       func(_ *echo, c net.Conn) { fmt.Fprintln(c, "x"); waitReadable(t, c) },
			"closed by its peer": func(e *echo, c net.Conn) { e.accepted(t, 1); e.closeAll(); waitReadable(t, c) },
		} {
			t.Run(name, func(t *testing.T) {
				e := newEcho(t)
				p := startPool(t, k, Config{MaxOpen: 1})
				u := newUser(t, k, p)
				c := u.conn(e.port())
				spoil(e, c.NetConn())
				if err := c.Release(); err != nil {
					t.Fatal(err)
				}
				u.allocate(e.port())
				if r := u.take(); r.Err != nil || r.FromCache != "" {
					t.Fatalf("got %+v", r)
				}
			})
		}
	})
}

// waitReadable returns when a read of c would not block.
func waitReadable(t *testing.T, c net.Conn) {
	until(t, "something to read", func() bool { return look(c) != clean })
}

// TestA93_A95_DiedWhileIdle: the peer closes an idle connection; the next request
// gets a fresh one, and the dead one is noticed even if nobody asks.
func TestA93_A95_DiedWhileIdle(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{})
		u := newUser(t, k, p)
		c := u.conn(e.port())
		under := c.NetConn()
		e.accepted(t, 1)
		if err := c.Release(); err != nil {
			t.Fatal(err)
		}
		e.closeAll()
		waitReadable(t, under)
		u.allocate(e.port())
		if r := u.take(); r.Err != nil || r.FromCache != "" {
			t.Fatalf("got %+v", r)
		} else if err := r.Conn.Release(); err != nil {
			t.Fatal(err)
		}
		e.accepted(t, 2)
		e.closeAll()
		until(t, "the dead connection is noticed", func() bool {
			s, err := p.Stats()
			return err == nil && s.Idle == 0
		})
	})
}

func TestA82_A101_RequesterGone(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{MaxPerHost: 1})
		u, v := newUser(t, k, p), newUser(t, k, p)
		u.conn(e.port()) // never released
		v.allocate(e.port())
		u.do(func(c *kernel.Context) error { c.Stop(); return nil })
		if r := v.take(); r.Err != nil {
			t.Fatalf("got %+v", r)
		}
	})
}

func TestA99_A101_A103_Deallocate(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{MaxPerHost: 1})
		u := newUser(t, k, p)
		if err := p.Deallocate(4711 << 32); !errors.Is(err, ErrNoRequest) {
			t.Fatalf("unknown: %v", err)
		}
		id := u.allocate(e.port())
		r := u.take() // posted, and nobody has looked at the connection
		if err := p.Deallocate(id); err != nil {
			t.Fatal(err)
		}
		if r.Conn.NetConn() != nil {
			t.Fatal("a withdrawn connection is given away")
		}
		c := u.conn(e.port())
		queued := u.allocate(e.port())
		if err := p.Deallocate(queued); err != nil {
			t.Fatal(err)
		}
		c.NetConn()
		if err := c.Release(); err != nil {
			t.Fatal(err)
		}
		if s, err := p.Stats(); err != nil || s.Load != (Load{Idle: 1}) {
			t.Fatalf("stats %+v, %v", s, err)
		}
		if len(u.got) != 0 {
			t.Fatalf("a cancelled request was answered: %+v", <-u.got)
		}
		used := u.conn(e.port())
		used.NetConn()
		if err := p.Deallocate(queued + 1); !errors.Is(err, ErrNoRequest) {
			t.Fatalf("in use: %v", err)
		}
	})
}

func TestA24_A105_A108_Shutdown(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{MaxPerHost: 1})
		u := newUser(t, k, p)
		c := u.conn(e.port())
		u.allocate(e.port())
		p.Shutdown()
		p.Shutdown()
		if r := u.take(); !errors.Is(r.Err, ErrShutDown) || r.Function != "shutdown" {
			t.Fatalf("got %+v", r)
		}
		u.do(func(kc *kernel.Context) error {
			if _, err := p.Allocate(kc, Request{Scheme: "s", Addr: "127.0.0.1", Port: 1, Event: evGot}); !errors.Is(err, ErrShutDown) {
				return fmt.Errorf("allocate after shutdown: %w", err)
			}
			return nil
		})
		if _, err := fmt.Fprintln(c.NetConn(), "works on"); err != nil {
			t.Fatal(err)
		}
		if err := c.Release(); err != nil {
			t.Fatal(err)
		}
		until(t, "every connection is closed", func() bool { open, _ := e.counts(); return open == 0 })
	})
}

func TestA21_A23_BadRequests(t *testing.T) {
	k := running(t, kernel.Serial)
	p := startPool(t, k, Config{})
	u := newUser(t, k, p)
	for field, r := range map[string]Request{
		"Scheme":          {Addr: "a", Port: 1, Event: evGot},
		"Addr":            {Scheme: "s", Port: 1, Event: evGot},
		"Port":            {Scheme: "s", Addr: "a", Event: evGot},
		"Request.Event":   {Scheme: "s", Addr: "a", Port: 1},
		"Request.Timeout": {Scheme: "s", Addr: "a", Port: 1, Event: evGot, Timeout: -5},
	} {
		u.do(func(c *kernel.Context) error {
			if _, err := p.Allocate(c, r); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), field) {
				t.Errorf("without %s: %v", field, err)
			}
			return nil
		})
	}
	if _, err := New(k, Config{MaxOpen: -7}); !errors.Is(err, ErrArgument) {
		t.Errorf("New: %v", err)
	}
}

// TestA80_R8_StartUseRelease has a wheel on the connection for a while.
func TestA80_R8_StartUseRelease(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		const line kernel.Event[string] = "line"
		e := newEcho(t)
		p := startPool(t, k, Config{})
		u := newUser(t, k, p)
		lines := make(chan string, 10)
		for i := range 50 {
			c := u.conn(e.port())
			u.do(func(kc *kernel.Context) error {
				kc.State(line.Name(), func(kc *kernel.Context) error {
					lines <- kc.Arg(0).(string)
					return c.Release()
				})
				rw, err := Start(kc, c, wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line})
				if err != nil {
					return err
				}
				return rw.Put(fmt.Sprint("hello ", i))
			})
			select {
			case got := <-lines:
				if got != fmt.Sprint("hello ", i) {
					t.Fatalf("got %q", got)
				}
			case <-deadline(t).Done():
				t.Fatal("no line")
			}
		}
		until(t, "the last release is done", func() bool { s, _ := p.Stats(); return s.Idle == 1 })
		e.accepted(t, 1)
	})
}

func TestA77_TimeoutWhileWaiting(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{MaxPerHost: 1}))
		c := u.conn(e.port())
		u.do(func(c *kernel.Context) error {
			_, err := u.pool.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: e.port(), Event: evGot, Timeout: 30 * time.Millisecond})
			return err
		})
		if r := u.take(); !errors.Is(r.Err, syscall.ETIMEDOUT) || r.Function != "connect" {
			t.Fatalf("got %+v", r)
		}
		_ = c.Release()
	})
}
