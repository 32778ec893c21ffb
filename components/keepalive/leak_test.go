package keepalive

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

const lateReport = "connection lent for longer than Config.LeakAfter"

// TestLeakAfter_ReportsOnceAndLetsItsUserWork, whoever has it: Get or a session.
func TestLeakAfter_ReportsOnceAndLetsItsUserWork(t *testing.T) {
	inBubbles(t, Config{LeakAfter: 3 * time.Second}, func(b *bubble) {
		var owner *kernel.Lease
		if _, err := b.k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				owner = c.Lease("test")
				_, err := b.pool.Allocate(c, Request{Scheme: "test", Addr: "10.0.0.1", Port: 80, Event: evGot, Context: b})
				return err
			}),
			session.On(evGot, func(c *kernel.Context, r Response) error {
				r.Conn.NetConn()
				c.State("end", func(*kernel.Context) error { return r.Conn.Release() })
				return nil
			}),
		)); err != nil {
			b.Fatal(err)
		}
		c, brief := b.get(), b.get()
		b.after(2 * time.Second)
		b.release(brief)
		b.after(950 * time.Millisecond) // it is 3010 ms; the first two were lent at 20 ms
		if len(b.reports()) != 0 {
			b.Fatalf("reported too early: %q", b.reports())
		}
		b.after(10 * time.Millisecond)
		if len(b.reports()) != 2 {
			b.Fatalf("reported: %q", b.reports())
		}
		all := strings.Join(b.reports(), "\n")
		for _, want := range []string{
			lateReport + ": connection to test://10.0.0.1:80 of session " + owner.Address().String() + `, event "got", asked for at `,
			lateReport + ": connection to test://10.0.0.1:80 of Get, asked for at ",
		} {
			if !strings.Contains(all, want) {
				b.Errorf("reported\n%s\nwant %q in it", all, want)
			}
		}
		b.after(time.Minute)
		if s := b.stats(); len(b.reports()) != 2 || s.Lent != 2 {
			b.Errorf("reported again, or taken away: %q, %+v", b.reports(), s.Load)
		}
		if _, err := fmt.Fprint(c.NetConn(), "works on"); err != nil {
			b.Error(err)
		}
		b.release(c)
		c = b.get() // the loan is another, and so is its leak
		b.after(3 * time.Second)
		if len(b.reports()) != 3 {
			b.Errorf("the next loan: %q", b.reports())
		}
		b.release(c)
		if err := owner.Post("end"); err != nil {
			b.Error(err)
		}
		b.after(0)
		owner.Release()
	})
}

// TestLeakAfter_KeepsNobody: once it was reported, the pool waits for nothing.
func TestLeakAfter_KeepsNobody(t *testing.T) {
	inBubbles(t, Config{LeakAfter: time.Second}, func(b *bubble) {
		c := b.get()
		b.after(10 * time.Second)
		if text := b.k.Explain(b.pool.addr); strings.Contains(text, "\n  timer") {
			b.Errorf("a timer is left:\n%s", text)
		}
		b.release(c)
	})
}

func TestLeakAfter_NegativeIsRefused(t *testing.T) {
	if _, err := (Config{LeakAfter: -1}).complete(); err == nil || !strings.Contains(err.Error(), "Config.LeakAfter is -1ns; want 0 for never, or more") {
		t.Errorf("got %v", err)
	}
}

// TestA82_CollectorFindsEachLoan: the first of a connection and later ones, also one
// whose request's own Context leads to the Conn; not those that were given back.
func TestA82_CollectorFindsEachLoan(t *testing.T) {
	reports := make(chan string, 10)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Reported: func(_, cause string, err error) { reports <- cause + ": " + err.Error() },
	}})
	kerneltest.Start(t, k)
	e := newEcho(t)
	p := startPool(t, k, Config{})
	type holder struct{ conn *Conn }
	u := newUser(t, k, p)
	borrow := func() *Conn {
		h := &holder{}
		u.do(func(c *kernel.Context) error {
			_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: e.port(), Event: evGot, Context: h})
			return err
		})
		r := u.take()
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		h.conn = r.Conn
		r.Conn.NetConn()
		return r.Conn
	}
	fetch := func() *Conn {
		c, err := p.Get(deadline(t), "test", "127.0.0.1", e.port())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, get := range []func() *Conn{borrow, fetch} {
		for before := range 3 { // loans of that connection
			func() {
				for range before {
					if err := get().Release(); err != nil {
						t.Fatal(err)
					}
					runtime.GC()
				}
				get()
			}()
			until(t, "the collector finds it", func() bool {
				runtime.GC()
				s, err := p.Stats()
				return err == nil && s.Load == (Load{})
			})
			if got := <-reports; !strings.HasPrefix(got, "connection dropped without Release: connection to test://127.0.0.1:") {
				t.Errorf("reported %q", got)
			}
		}
	}
	if len(reports) > 0 {
		t.Errorf("reported too often: %q", <-reports)
	}
	e.accepted(t, 6)
}

// TestLeash_IsLetGo: nothing of a connection that has ended stays in memory.
func TestLeash_IsLetGo(t *testing.T) {
	k := running(t, kernel.Parallel)
	e := newEcho(t)
	p := startPool(t, k, Config{})
	var open weak.Pointer[entry]
	func() {
		for _, end := range []func(*Conn) error{(*Conn).Release, (*Conn).Release, (*Conn).Close} {
			c, err := p.Get(deadline(t), "test", "127.0.0.1", e.port())
			if err != nil {
				t.Fatal(err)
			}
			open = weak.Make(c.l.open)
			if err := end(c); err != nil {
				t.Fatal(err)
			}
		}
	}()
	e.accepted(t, 1)
	until(t, "the collector finds the connection", func() bool { runtime.GC(); return open.Value() == nil })
}
