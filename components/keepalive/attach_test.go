package keepalive

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// client is what a user keeps on a connection, as an HTTP transport does.
type client struct {
	broken atomic.Pointer[error]
	closed atomic.Int32
}

func (c *client) Err() error {
	if err := c.broken.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *client) Close() error { c.closed.Add(1); return nil }

func (c *client) breaks() { err := errors.New("GOAWAY"); c.broken.Store(&err) }

// attached is a connection with a client on it.
func (b *bubble) attached() (*Conn, *client) {
	b.Helper()
	c, on := b.get(), &client{}
	c.Attach(on)
	return c, on
}

func (b *bubble) wantClosed(on *client, n int32, when string) {
	b.Helper()
	if got := on.closed.Load(); got != n {
		b.Errorf("closed %d times %s, want %d", got, when, n)
	}
}

// TestAttach_BrokenWhileIdle is noticed by the sweep, and before a loan.
func TestAttach_BrokenWhileIdle(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		c, on := b.attached()
		b.release(c)
		b.after(3 * time.Second)
		b.wantClosed(on, 0, "while idle")
		on.breaks()
		b.after(sweepEvery)
		b.wantClosed(on, 1, "by the sweep")
		if s := b.stats(); s.Load != (Load{}) {
			b.Errorf("%+v", s.Load)
		}

		c, on = b.attached()
		b.release(c)
		on.breaks()
		if c = b.get(); c.Reused() || c.Attached() != nil {
			b.Errorf("a broken one was lent, with %v", c.Attached())
		}
		b.wantClosed(on, 1, "before the loan")
		b.release(c)
	})
}

// TestAttach_BrokenAtRelease, and what its minder does not mind: input that waits.
func TestAttach_MinderDecides(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		c, on := b.attached()
		on.breaks()
		b.release(c)
		b.wantClosed(on, 1, "at its release")

		c, on = b.attached()
		if _, err := b.peers[1].Write([]byte("a PING, say")); err != nil {
			b.Fatal(err)
		}
		b.after(50 * time.Millisecond)
		b.release(c)
		b.after(2 * time.Second)
		if c = b.get(); c.Attached() != on {
			b.Errorf("got %v, want what was attached", c.Attached())
		}
		b.wantClosed(on, 0, "with its minder content")
		if err := c.Close(); err != nil {
			b.Error(err)
		}
		b.after(0)
		b.wantClosed(on, 1, "by Close")
	})
}

// TestA84_A96_A107_A108_AttachedIsClosedOnce, whatever ends the connection, and not
// while it is lent.
func TestA84_A96_A107_A108_AttachedIsClosedOnce(t *testing.T) {
	nothing := func(*bubble) {}
	for name, tc := range map[string]struct {
		lent func(*Conn) error // how it comes back after the end; nil: before
		end  func(b *bubble)
	}{
		"closed by its user": {(*Conn).Close, nothing},
		"expired":            {nil, func(b *bubble) { b.after(20 * time.Second) }},
		"evicted":            {nil, func(b *bubble) { b.release(b.other()) }},
		"closed by its peer": {(*Conn).Release, func(b *bubble) { _ = b.peers[0].Close(); b.after(2 * time.Second) }},
		"shut down, idle":    {nil, func(b *bubble) { b.pool.Shutdown() }},
		"shut down, lent":    {(*Conn).Release, func(b *bubble) { b.pool.Shutdown(); b.after(time.Minute) }},
		"kernel ends, idle":  {nil, func(b *bubble) { b.k.Stop(); b.after(time.Second) }},
		"kernel ends, lent":  {(*Conn).Release, func(b *bubble) { b.k.Stop(); b.after(time.Second) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubbles(t, Config{MaxOpen: 1}, func(b *bubble) {
				c := b.get()
				on := &closer{}
				c.Attach(on)
				if tc.lent == nil {
					b.release(c)
				}
				tc.end(b)
				if tc.lent != nil {
					if n := on.closed.Load(); n != 0 {
						b.Errorf("closed %d times while lent", n)
					}
					if err := tc.lent(c); err != nil {
						b.Error(err)
					}
				}
				b.after(20 * time.Second)
				if n := on.closed.Load(); n != 1 || len(b.closed()) == 0 {
					b.Errorf("closed %d times, want once, and the connections at %v", n, b.closed())
				}
			})
		})
	}
}

// closer leaves the looking to the pool.
type closer struct{ closed atomic.Int32 }

func (c *closer) Close() error { c.closed.Add(1); return nil }

// other is a connection under another key.
func (b *bubble) other() *Conn {
	b.Helper()
	c, err := b.pool.Get(b.Context(), "other", "10.0.0.1", 80)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// TestA82_AttachedEndsWithItsSession: once.
func TestA82_AttachedEndsWithItsSession(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		on := &closer{}
		if _, err := b.k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				_, err := b.pool.Allocate(c, Request{Scheme: "test", Addr: "10.0.0.1", Port: 80, Event: evGot})
				return err
			}),
			session.On(evGot, func(_ *kernel.Context, r Response) error { r.Conn.Attach(on); return nil }), // its last event
		)); err != nil {
			b.Fatal(err)
		}
		b.after(time.Second)
		if n := on.closed.Load(); n != 1 {
			b.Errorf("closed %d times, want once", n)
		}
		if s := b.stats(); s.Load != (Load{}) {
			b.Errorf("%+v", s.Load)
		}
	})
}

// TestA88_R12_NothingAfterRelease: a Conn that was given back does not reach into the
// hands of the next user.
func TestA88_R12_NothingAfterRelease(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		c := b.get()
		c.Attach("mine")
		b.release(c)
		next := b.get()
		c.Attach("still mine")
		if c.Attached() != nil || c.NetConn() != nil || c.Reused() {
			b.Errorf("of a released one: %v, %v, %v", c.Attached(), c.NetConn(), c.Reused())
		}
		if next.Attached() != "mine" || !next.Reused() {
			b.Errorf("the next user has %v", next.Attached())
		}
		if err := c.Close(); !errors.Is(err, ErrNotLent) {
			b.Errorf("Close of a released one: %v", err)
		}
		b.release(next)
		if s := b.stats(); s.Idle != 1 {
			b.Errorf("%+v", s.Load)
		}
	})
}
