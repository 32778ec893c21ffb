package tcp_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

const (
	joined  kernel.Event[*conn]        = "joined"
	said    kernel.Event[string]       = "said"
	flushed kernel.Event[*conn]        = "flushed"
	failed  kernel.Event[*wheel.Error] = "failed"
	left    kernel.Event[*conn]        = "left"
)

// owner is a session that takes everything as events, and echoes.
func owner(r *rig) *session.Session {
	return session.New(
		session.On(joined, func(c *kernel.Context, conn *conn) error {
			r.note("joined %v", c.Sender() == conn.Session() && c.Self() != conn.Session())
			return nil
		}),
		session.On(said, func(c *kernel.Context, line string) error {
			conn := c.Arg(1).(*conn)
			r.note("said %s %v", line, c.Sender() == conn.Session())
			switch line {
			case "quit":
				return c.Post(c.Sender(), "shutdown")
			case "fail":
				return errors.New("as you asked")
			case "put":
				return c.Post(c.Sender(), tcp.Put, "one", "two")
			}
			return conn.Send(c, line)
		}),
		session.On(flushed, func(*kernel.Context, *conn) error { return nil }),
		session.On(failed, func(c *kernel.Context, e *wheel.Error) error {
			r.note("failed %s %v", e.Op, c.Arg(1).(*conn).Session() == c.Sender())
			return nil
		}),
		session.On(left, func(_ *kernel.Context, conn *conn) error { r.note("left %s", cause(conn.Err())); return nil }),
	)
}

func ownedBy(who kernel.Address) tcp.Events[string, string] {
	return tcp.Events[string, string]{Owner: who, Connected: joined, Input: said, Flushed: flushed, Error: failed, Disconnected: left}
}

func TestEventsInsteadOfCallbacks(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported())
		own, err := r.k.SpawnHeld(owner(r))
		if err != nil {
			t.Fatal(err)
		}
		s := r.server(serverConfig{Events: ownedBy(own.Address())})
		p := r.dial(s.Addr())
		p.send("hello\n")
		p.line("hello")
		p.send("put\nquit\nnot any more\n")
		p.line("one")
		p.line("two")
		p.hungUp()
		r.await("left nil")
		if log := r.entries(); strings.Join(log[:4], ",") != "joined true,said hello true,said put true,said quit true" {
			t.Errorf("the log is %q", log)
		}
		r.clear()
		p = r.dial(s.Addr())
		p.send("fail\n") // costs the connection, not the owner
		p.hungUp()
		r.await("left as you asked")
		r.until("it is counted", func() bool { return s.State().Failed == 1 && s.State().Connections == 0 })
		p = r.dial(s.Addr())
		closeWrite(t, p)
		p.end()
		p.Close()
		r.await("left nil")
		if count(r.entries(), "failed read true") != 1 {
			t.Errorf("the log is %q", r.entries())
		}
		p = r.dial(s.Addr())
		r.await("joined true", 3)
		r.clear()
		gone := own.Address()
		own.Release()
		r.ended(gone)
		p.send("anybody there?\n")
		p.hungUp()
		r.until("it is over", func() bool { return s.State().Connections == 0 })
		if log := r.entries(); len(log) != 1 || !strings.HasPrefix(log[0], "report: connection closed: Events.Owner is gone") || s.State().Failed != 1 {
			t.Errorf("the log is %q, the state %+v", log, s.State())
		}
	})
}

func TestEventsOfAClient(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		own, err := r.k.SpawnHeld(owner(r))
		if err != nil {
			t.Fatal(err)
		}
		defer own.Release()
		l := listen(t)
		ev := ownedBy(own.Address())
		ev.ConnectError = failed
		cl := r.client(clientConfig{RemoteAddress: nobody(t).String(), Events: ev, Alias: "client"})
		r.await("failed connect true")
		cl.Connect(l.Addr().String())
		p := accept(t, l)
		p.send("hello\n")
		p.line("hello")
		p.Close()
		r.await("left nil")
		r.want("failed connect true", "joined true", "said hello true", "failed read true", "left nil")
	})
}

// A flood from a peer waits for the owner, and does not pile up in its queue.
func TestFloodDoesNotFillTheOwnersQueue(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		n := 0
		own, err := r.k.SpawnHeld(session.New(
			session.On(said, func(*kernel.Context, string) error { n++; return nil }),
			session.On(left, func(*kernel.Context, *conn) error { r.note("%d lines", n); return nil }),
		), kernel.QueueLimit(1))
		if err != nil {
			t.Fatal(err)
		}
		defer own.Release()
		s := r.server(serverConfig{Events: tcp.Events[string, string]{Owner: own.Address(), Input: said, Disconnected: left}})
		p := r.dial(s.Addr())
		p.send(strings.Repeat("flood\n", 100000))
		closeWrite(t, p)
		p.end()
		p.Close()
		r.await("100000 lines")
	})
}

// Send reports a session that has ended; what it sends to a connection that is
// ending is dropped without a word, and a record of another type is an error.
func TestSend(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported())
		theirs := make(chan *conn, 1)
		cfg := r.noted()
		cfg.ClientConnected = func(_ *kernel.Context, conn *conn) error { theirs <- conn; return nil }
		s := r.server(cfg)
		p := r.dial(s.Addr())
		to := <-theirs
		do := func(f func(c *kernel.Context) error) error {
			l, err := r.k.SpawnHeld(session.New(session.Handle("do", f)))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Release()
			_, err = r.k.Call(t.Context(), l.Address(), "do")
			return err
		}
		if err := do(func(c *kernel.Context) error { return to.Send(c, "a", "b") }); err != nil {
			t.Error(err)
		}
		p.line("a")
		p.line("b")
		if err := do(func(c *kernel.Context) error {
			return errors.Join(c.Post(to.Session(), "shutdown"), to.Send(c, "too late"))
		}); err != nil {
			t.Error(err)
		}
		p.end()
		p.Close()
		r.ended(to.Session())
		if err := do(func(c *kernel.Context) error { return to.Send(c, "nobody") }); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("to nobody: %v", err)
		}
		p = r.dial(s.Addr())
		if _, err := r.k.Call(t.Context(), (<-theirs).Session(), tcp.Put, 7); !errors.Is(err, kernel.ErrArgument) {
			t.Errorf("a number: %v", err)
		}
		p.hungUp()
		if s := fmt.Sprint(to); !strings.Contains(s, string(to.Session())) || !strings.Contains(s, "127.0.0.1:") {
			t.Errorf("it is called %s", s)
		}
	})
}

// What comes for a connection behind its end, as it does when many are told something
// while one leaves, is dropped without a word.
func TestSendToWhoHasJustLeft(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		left := make(chan kernel.Address, 1)
		cfg := r.noted()
		cfg.ClientDisconnected = func(c *kernel.Context, conn *conn) error {
			r.note("disconnected")
			left <- conn.Session()
			return conn.Send(c, "nobody")
		}
		p := r.dial(r.server(cfg).Addr())
		r.await("connected")
		p.Close()
		r.ended(<-left)
		r.want("preconnect", "connected", "error read EOF", "disconnected")
	})
}
