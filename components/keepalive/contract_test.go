package keepalive

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// ask allocates for a user in a bubble.
func (b *bubble) ask(u *user, r Request) RequestID {
	b.Helper()
	r.Scheme, r.Addr, r.Port, r.Event = "test", "10.0.0.1", 80, evGot
	var id RequestID
	u.do(func(c *kernel.Context) (err error) {
		id, err = b.pool.Allocate(c, r)
		return err
	})
	return id
}

// TestA15_A29_PoolsAreIndependent: neither limits, connections nor ends are shared;
// aliases and request IDs differ.
func TestA15_A29_PoolsAreIndependent(t *testing.T) {
	inBubbles(t, Config{MaxOpen: 1}, func(b *bubble) {
		other := startPool(b.T, b.k, Config{MaxOpen: 1})
		if other.alias == b.pool.alias {
			b.Errorf("both are %q", other.alias)
		}
		u, v := newUser(b.T, b.k, b.pool), newUser(b.T, b.k, other)
		ids := map[RequestID]bool{}
		for range 3 {
			ids[b.ask(u, Request{})] = true
			v.do(func(c *kernel.Context) error {
				id, err := other.Allocate(c, Request{Scheme: "test", Addr: "10.0.0.1", Port: 80, Event: evGot})
				ids[id] = true
				return err
			})
		}
		if len(ids) != 6 || ids[0] {
			b.Errorf("six requests have the IDs %v", ids)
		}
		mine, its := u.take().Conn, v.take().Conn // each the only one of its pool
		other.Shutdown()
		for range 2 {
			if r := v.take(); !errors.Is(r.Err, ErrShutDown) {
				b.Errorf("got %+v", r)
			}
		}
		if s := b.stats(); s.Load != (Load{Lent: 1, Waiting: 2}) {
			b.Errorf("the other's shutdown changed it: %+v", s.Load)
		}
		b.release(its)
		b.release(mine)
		for range 2 {
			b.release(u.take().Conn)
		}
	})
}

// TestA22_A36_A37_SameFieldsOnEveryPath: fresh, immediate, deferred and failed; a
// context of 0 is a context.
func TestA22_A36_A37_SameFieldsOnEveryPath(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		u := newUser(b.T, b.k, b.pool)
		r := Request{Context: 0, ForScheme: "final", ForAddr: "target.example", ForPort: 443}
		check := func(from string, failed bool) *Conn {
			b.Helper()
			got := u.take()
			if got.Context != 0 || got.Scheme != "test" || got.Addr != "10.0.0.1" || got.Port != 80 ||
				got.ForScheme != r.ForScheme || got.ForAddr != r.ForAddr || got.ForPort != r.ForPort {
				b.Errorf("%q: %+v", from, got)
			}
			if got.FromCache != from || failed != (got.Err != nil) || failed != (got.Conn == nil) || failed != (got.Function != "") {
				b.Errorf("%q: %+v", from, got)
			}
			return got.Conn
		}
		b.ask(u, r)
		c := check("", false)
		b.release(c)
		b.ask(u, r)
		c = check("immediate", false)
		b.ask(u, r)
		b.release(c)
		c = check("deferred", false)
		b.release(c)
		r.ForPort = 80
		b.net.FailDial("10.0.0.1:80", errRefused)
		b.ask(u, r)
		check("", true)
	})
}

// TestA28_A30_EveryEndIsTheRequestsLast: an ID is good for Deallocate once, also
// that of an idle hit, and not after any of the ends that a request can have.
func TestA28_A30_EveryEndIsTheRequestsLast(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		u := newUser(b.T, b.k, b.pool)
		over := func(id RequestID, what string) {
			b.Helper()
			if err := b.pool.Deallocate(id); !errors.Is(err, ErrNoRequest) {
				b.Errorf("%s, then cancelled: %v", what, err)
			}
		}
		id := b.ask(u, Request{})
		b.release(u.take().Conn)
		over(id, "released")

		id = b.ask(u, Request{}) // idle: answered at once
		if id == 0 {
			b.Error("an idle hit has no ID")
		}
		b.after(0)
		if err := b.pool.Deallocate(id); err != nil {
			b.Errorf("an idle hit cannot be cancelled: %v", err)
		}
		over(id, "cancelled")
		if r := u.take(); r.Conn.NetConn() != nil {
			b.Error("it was cancelled and is given away")
		}

		c := b.get()
		id = b.ask(u, Request{Timeout: time.Second})
		b.after(time.Second)
		if r := u.take(); !errors.Is(r.Err, syscall.ETIMEDOUT) {
			b.Errorf("got %+v", r)
		}
		over(id, "timed out")
		if err := c.Close(); err != nil {
			b.Error(err)
		}

		b.net.FailDial("10.0.0.1:80", errRefused)
		id = b.ask(u, Request{})
		if r := u.take(); !errors.Is(r.Err, errRefused) {
			b.Errorf("got %+v", r)
		}
		over(id, "failed")

		id = b.ask(u, Request{})
		b.pool.Shutdown()
		if r := u.take(); !errors.Is(r.Err, ErrShutDown) {
			b.Errorf("got %+v", r)
		}
		b.after(time.Second)
		if err := b.pool.Deallocate(id); !errors.Is(err, ErrNoRequest) && !errors.Is(err, ErrShutDown) {
			b.Errorf("shut down, then cancelled: %v", err)
		}
	})
}

// TestA79_A83_PlaceIsKeptUntilItIsGivenBack: by who has the Conn, whatever became of
// its wheel, its net.Conn or the answer.
func TestA79_A83_PlaceIsKeptUntilItIsGivenBack(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		u := newUser(b.T, b.k, b.pool)
		b.ask(u, Request{})
		c := u.take().Conn
		b.ask(u, Request{})
		rw := u.start(c, nil)
		u.do(func(*kernel.Context) error { rw.Close(); return nil })
		_ = c.NetConn().Close()
		b.after(time.Minute)
		if s := b.stats(); s.Load != (Load{Lent: 1, Waiting: 1}) || len(u.got) != 0 {
			b.Errorf("%+v", s.Load)
		}
		u.do(func(*kernel.Context) error { return c.Release() })
		b.release(u.take().Conn)
	})
}

// TestA91_A92_R5_UnreadInputClosesAbortively, though it has left the socket: the
// wheel's filter has it.
func TestA91_A92_R5_UnreadInputClosesAbortively(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		u := newUser(b.T, b.k, b.pool)
		b.ask(u, Request{})
		c := u.take().Conn
		b.after(10 * time.Millisecond)
		u.start(c, nil)
		if _, err := b.peers[0].Write([]byte("half a line")); err != nil {
			b.Fatal(err)
		}
		b.after(10 * time.Millisecond)
		u.do(func(*kernel.Context) error { return c.Release() })
		b.after(10 * time.Millisecond)
		if _, err := b.peers[0].Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			b.Errorf("the server's connection was not reset: %v", err)
		}
		next := b.get()
		if next.Reused() {
			b.Error("lent with another's input")
		}
		b.release(next)
	})
}

// TestA104_A105_A106_A109_R10_ShutdownWhileOpening: what opens and what waits gets
// one answer each; the connection that comes yet is closed, and announced to nobody.
func TestA104_A105_A106_A109_R10_ShutdownWhileOpening(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1}, func(b *bubble) {
		u := newUser(b.T, b.k, b.pool)
		opening, waiting := b.ask(u, Request{}), b.ask(u, Request{})
		b.after(5 * time.Millisecond) // of 20
		b.pool.Shutdown()
		b.pool.Shutdown()
		for _, id := range []RequestID{opening, waiting} {
			if r := u.take(); r.ID != id || !errors.Is(r.Err, ErrShutDown) || r.Conn != nil {
				b.Errorf("got %+v", r)
			}
		}
		if _, there := b.k.Resolve(kernel.Address(b.pool.alias)); there {
			b.Error("the alias keeps the program")
		}
		b.after(time.Minute)
		if len(u.got) != 0 {
			b.Errorf("a second answer: %+v", <-u.got)
		}
		for _, c := range b.net.Conns() {
			b.Errorf("still open: %v", c)
		}
	})
}

// TestA97_R8_WheelAndPoolNeverReadTogether: what the peer says right after a loan
// began is the user's, though the connection was idle and looked at before.
func TestA97_R8_WheelAndPoolNeverReadTogether(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		u := newUser(b.T, b.k, b.pool)
		b.release(b.get())
		for range 5 {
			b.ask(u, Request{})
			c := u.take().Conn
			lines := make(chan string, 10)
			u.do(func(kc *kernel.Context) error {
				kc.State(line.Name(), func(kc *kernel.Context) error { lines <- kc.Arg(0).(string); return nil })
				_, err := Start(kc, c, wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line})
				return err
			})
			if _, err := b.peers[0].Write([]byte("hello\n")); err != nil {
				b.Fatal(err)
			}
			b.after(3 * time.Second) // sweeps
			if len(lines) != 1 || <-lines != "hello" {
				b.Fatal("the line did not reach its user")
			}
			u.do(func(*kernel.Context) error { return c.Release() })
		}
		if len(b.peers) != 1 {
			b.Errorf("%d connections", len(b.peers))
		}
	})
}

// TestA45_QueueLimit: an answer and statistics for which the requester has no room
// are reported, and the connection is not lost.
func TestA45_QueueLimit(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		b.release(b.get())
		if _, err := b.k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				if err := c.Yield("full"); err != nil {
					return err
				}
				_, err := b.pool.Allocate(c, Request{Scheme: "test", Addr: "10.0.0.1", Port: 80, Event: evGot})
				if err != nil {
					return err
				}
				_, err = b.pool.WatchStats(c, 0, evStatsCame)
				return err
			}),
			session.Handle("full", func(*kernel.Context) error { return nil }),
		), kernel.QueueLimit(1)); err != nil {
			b.Fatal(err)
		}
		b.after(time.Second)
		said := b.reports()
		if len(said) != 2 || !strings.HasPrefix(said[0], "answer dropped") || !strings.HasPrefix(said[1], "statistics dropped") {
			b.Errorf("reported %q", said)
		}
		if s := b.stats(); s.Load != (Load{Idle: 1}) {
			b.Errorf("%+v", s.Load)
		}
	})
}
