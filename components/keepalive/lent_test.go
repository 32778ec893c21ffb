package keepalive

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const line kernel.Event[string] = "line"

// start puts a line wheel on c in the user's session; its lines go to the channel,
// or, without one, nowhere.
func (u *user) start(c *Conn, lines chan string) *wheel.ReadWrite[string, string] {
	u.t.Helper()
	var rw *wheel.ReadWrite[string, string]
	u.do(func(kc *kernel.Context) (err error) {
		kc.State(line.Name(), func(kc *kernel.Context) error {
			if lines != nil {
				lines <- kc.Arg(0).(string)
			}
			return nil
		})
		rw, err = Start(kc, c, wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line})
		return err
	})
	return rw
}

// TestA80_A81_StartAgainReplacesTheWheel, which keeps what the first had not
// parsed and never reads beside it.
func TestA80_A81_StartAgainReplacesTheWheel(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{}))
		c := u.conn(e.port())
		got := make(chan string, 10)
		for i := range 5 {
			rw := u.start(c, got)
			want := fmt.Sprint("hello ", i)
			u.do(func(*kernel.Context) error { return rw.Put(want) })
			if s := <-got; s != want {
				t.Fatalf("got %q, want %q", s, want)
			}
		}
		u.do(func(kc *kernel.Context) error {
			if _, err := Start(kc, c, wheel.ReadWriteConfig[string, string]{}); !errors.Is(err, wheel.ErrConfig) {
				t.Errorf("without a filter: %v", err)
			}
			return c.Release()
		})
		u.do(func(kc *kernel.Context) error {
			if _, err := Start(kc, c, wheel.ReadWriteConfig[string, string]{Filter: filter.Line()}); !errors.Is(err, ErrNotLent) {
				t.Errorf("after Release: %v", err)
			}
			return nil
		})
		e.accepted(t, 1)
	})
}

// TestA84_A85_A86_R6_R7_Closed: whoever closes it, and how, the next request gets a
// fresh connection, though there is room for one only.
func TestA84_A85_A86_R6_R7_Closed(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{MaxOpen: 1}))
		for name, spoil := range map[string]func(c *Conn, rw *wheel.ReadWrite[string, string]) error{
			"Close":              func(c *Conn, _ *wheel.ReadWrite[string, string]) error { return c.Close() },
			"the wheel's Close":  func(c *Conn, rw *wheel.ReadWrite[string, string]) error { rw.Close(); return c.Release() },
			"the socket's Close": func(c *Conn, _ *wheel.ReadWrite[string, string]) error { c.NetConn().Close(); return c.Release() },
			"ShutdownOutput":     func(c *Conn, rw *wheel.ReadWrite[string, string]) error { _ = rw.ShutdownOutput(); return c.Release() },
			"unsent output": func(c *Conn, rw *wheel.ReadWrite[string, string]) error {
				_ = rw.Put(string(make([]byte, 8<<20)))
				return c.Release()
			},
			"the wheel's own Release": func(c *Conn, rw *wheel.ReadWrite[string, string]) error {
				_, _, err := rw.Release()
				return errors.Join(err, c.Release())
			},
		} {
			c := u.conn(e.port())
			rw := u.start(c, nil)
			u.do(func(*kernel.Context) error { return spoil(c, rw) })
			u.allocate(e.port())
			r := u.take()
			if r.Err != nil || r.FromCache != "" {
				t.Errorf("after %s: %+v", name, r)
			}
			if err := c.Close(); !errors.Is(err, ErrNotLent) {
				t.Errorf("after %s: a second end: %v", name, err)
			}
			_ = r.Conn.Close()
		}
	})
}

// TestA87_R7_HalfClosedByItsUser is not lent again, whichever half.
func TestA87_R7_HalfClosedByItsUser(t *testing.T) {
	k := running(t, kernel.Parallel)
	p, conns := accepting(t) // and answers no end of input
	u := newUser(t, k, startPool(t, k, Config{}))
	for range 3 {
		c := u.conn(p)
		<-conns
		if err := c.NetConn().(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := c.Release(); err != nil {
			t.Fatal(err)
		}
		c = u.conn(p)
		if s, _ := u.pool.Stats(); s.Load != (Load{Lent: 1}) {
			t.Fatalf("it was kept: %+v", s)
		}
		<-conns
		_ = c.Close()
	}
}

// accepting is a server that only accepts.
func accepting(t testing.TB) (port int, conns chan net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns = make(chan net.Conn, 100)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port, conns
}

// TestA88_R12_Free: misuse is loud while the pool lives, and nobody's business after.
func TestA88_R12_Free(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p, other := startPool(t, k, Config{}), startPool(t, k, Config{})
		get := func() *Conn {
			c, err := p.Get(deadline(t), "test", "127.0.0.1", e.port())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := get()
		for name, misuse := range map[string]func() error{
			"nothing":      func() error { return p.Free(nil) },
			"another pool": func() error { return other.Free(c) },
		} {
			if err := misuse(); !errors.Is(err, ErrNotLent) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := p.Free(c); err != nil {
			t.Error(err)
		}
		if err := p.Free(c); !errors.Is(err, ErrNotLent) {
			t.Errorf("twice: %v", err)
		}
		if c = get(); !c.Reused() {
			t.Error("what was freed is not lent again")
		}
		p.Shutdown()
		for range 2 {
			if err := errors.Join(p.Free(c), p.Free(nil)); err != nil {
				t.Errorf("after Shutdown: %v", err)
			}
		}
		until(t, "the server has no connection", func() bool { open, _ := e.counts(); return open == 0 })
	})
}

// TestA88_OneOfManyReleasesCounts: of those that run at the same time.
func TestA88_OneOfManyReleasesCounts(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{})
		u := newUser(t, k, p)
		for range 50 {
			id := u.allocate(e.port())
			c := u.take().Conn
			var wg sync.WaitGroup
			ends := make(chan error, 6)
			for i := range 6 {
				wg.Go(func() {
					switch i % 3 {
					case 0:
						ends <- c.Release()
					case 1:
						ends <- c.Close()
					case 2:
						ends <- p.Deallocate(id)
					}
				})
			}
			wg.Wait()
			close(ends)
			n := 0
			for err := range ends {
				switch {
				case err == nil:
					n++
				case !errors.Is(err, ErrNotLent) && !errors.Is(err, ErrNoRequest):
					t.Fatal(err)
				}
			}
			if n != 1 {
				t.Fatalf("%d of them took effect", n)
			}
		}
		if s, err := p.Stats(); err != nil || s.Lent+s.Opening+s.Waiting != 0 {
			t.Fatalf("stats %+v, %v", s, err)
		}
	})
}

// TestA82_DroppedConnIsFoundAndReported: nobody has it any more, and nobody
// looked at the answer that brought another.
func TestA82_DroppedConnIsFoundAndReported(t *testing.T) {
	reports := make(chan string, 10)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Reported: func(_, cause string, _ error) { reports <- cause },
	}})
	kerneltest.Start(t, k)
	e := newEcho(t)
	p := startPool(t, k, Config{MaxPerHost: 2})
	u := newUser(t, k, p)
	func() {
		u.conn(e.port()).NetConn()
		u.conn(e.port())
	}()
	until(t, "the collector finds both", func() bool {
		runtime.GC()
		s, err := p.Stats()
		return err == nil && s.Load == (Load{})
	})
	for range 2 {
		if got := <-reports; got != "connection dropped without Release" {
			t.Fatalf("reported %q", got)
		}
	}
	until(t, "both are closed", func() bool { open, _ := e.counts(); return open == 0 })
}

// TestA82_OwnerGoneWithAWheelElsewhere: a session that passed its connection on
// and stopped takes it along, and touches nothing of the other's wheel.
func TestA82_OwnerGoneWithAWheelElsewhere(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{})
		for range 20 {
			owner, other := newUser(t, k, p), newUser(t, k, p)
			c := owner.conn(e.port())
			rw := other.start(c, nil)
			go func() {
				_, _ = k.Call(deadline(t), owner.lease.Address(), evRun.Name(), func(c *kernel.Context) error { c.Stop(); return nil })
			}()
			other.do(func(*kernel.Context) error {
				for range 20 {
					_ = rw.Put("x")
				}
				if err := c.Release(); err != nil && !errors.Is(err, ErrNotLent) {
					return err
				}
				return nil
			})
		}
		until(t, "all are back", func() bool { s, err := p.Stats(); return err == nil && s.Lent == 0 })
	})
}

// TestA26_AnswersGoToTheCaller, whoever else uses the pool, and A40: with the
// step that failed.
func TestA26_A40_A41_AnswersGoToTheCaller(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{})
		u, v := newUser(t, k, p), newUser(t, k, p)
		u.do(func(c *kernel.Context) error {
			_, err := p.Allocate(c, Request{Scheme: "s", Addr: "no such host.invalid", Port: 1, Event: evGot, Context: 7})
			return err
		})
		r := u.take()
		var dns *net.DNSError
		if r.Function != "resolve" || r.Context != 7 || !errors.As(r.Err, &dns) || r.Conn != nil {
			t.Fatalf("got %+v", r)
		}
		if len(v.got) != 0 {
			t.Fatalf("another session got %+v", <-v.got)
		}
	})
}

// TestA27_NothingIsHandedOverAtOnce: even an idle connection comes by an event,
// after the handler that asked.
func TestA27_A32_AnswerHoldsItsRequester(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{})
		u := newUser(t, k, p)
		if err := u.conn(e.port()).Release(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // at hand, and (because the first was not given back) to be opened
			var returned bool
			got := make(chan Response, 1)
			_, err := k.Spawn(session.New(
				session.Handle("_start", func(c *kernel.Context) error {
					_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: e.port(), Event: evGot})
					returned = true
					return err // nothing but the answer keeps this session
				}),
				session.On(evGot, func(_ *kernel.Context, r Response) error {
					if !returned {
						t.Error("the answer came before Allocate returned")
					}
					_ = r.Conn.NetConn()
					got <- r
					return nil
				}),
			))
			if err != nil {
				t.Fatal(err)
			}
			if r := <-got; r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		until(t, "both came back when their session ended", func() bool { s, err := p.Stats(); return err == nil && s.Load == (Load{}) })
	})
}

// TestA16_A24_PoolThatEnded: a handle whose session is gone refuses and does not
// crash; what it lent can still be given back.
func TestA16_A24_PoolThatEnded(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{})
		u := newUser(t, k, p)
		c := u.conn(e.port())
		if err := k.Signal(p.addr, "KILL"); err != nil {
			t.Fatal(err)
		}
		until(t, "it has ended", func() bool { _, there := k.Resolve(p.addr); return !there })
		if _, err := p.Stats(); !errors.Is(err, ErrShutDown) {
			t.Errorf("Stats: %v", err)
		}
		if err := p.Deallocate(1); !errors.Is(err, ErrShutDown) {
			t.Errorf("Deallocate: %v", err)
		}
		p.Shutdown()
		u.do(func(kc *kernel.Context) error {
			if _, err := p.Allocate(kc, Request{Scheme: "s", Addr: "a", Port: 1, Event: evGot}); !errors.Is(err, ErrShutDown) {
				t.Errorf("Allocate: %v", err)
			}
			return nil
		})
		_ = c.Release() // nil, or its answer counted as not looked at
		until(t, "the connection is closed", func() bool { open, _ := e.counts(); return open == 0 })
	})
}

func TestAllocateOfAnotherKernel(t *testing.T) {
	p := startPool(t, running(t, kernel.Parallel), Config{})
	u := newUser(t, running(t, kernel.Parallel), p)
	u.do(func(c *kernel.Context) error {
		if _, err := p.Allocate(c, Request{Scheme: "s", Addr: "a", Port: 1, Event: evGot}); !errors.Is(err, ErrArgument) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}
