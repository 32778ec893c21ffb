package tcp_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// The session ends when nothing is left to do.
func TestC24_C25_C27_C31_AClientsLife(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		cfg := r.notedClient(l.Addr())
		cfg.Connected = func(c *kernel.Context, conn *conn) error {
			r.note("connected to %v: %v", conn.RemoteAddr(), conn.Session() == c.Self() && conn.ID() != 0)
			return conn.Put("hello")
		}
		cl := r.client(cfg)
		p := accept(t, l)
		p.line("hello")
		p.send("welcome\n")
		p.Close()
		r.ended(cl.Session())
		r.want("started", "preconnect", "connected to "+l.Addr().String()+": true", "input welcome", "error read EOF", "disconnected nil")
		if st := cl.State(); st.State != "resting" || st.Attempts != 1 || st.Connects != 1 || st.Failures != 0 || st.Remote != l.Addr().String() {
			t.Errorf("state %+v", st)
		}
		if d := r.k.Descriptions(); len(d) != 0 {
			t.Errorf("descriptions are left: %v", d)
		}
	})
}

func TestC25_StartedComesFirstAndMayFail(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.notedClient(nobody(t))
		cfg.Filter = lines
		cfg.ServerInput = echo
		cfg.Started = func(c *kernel.Context, _ *conn) error {
			r.note("started in %s", c.Event())
			return errors.New("not today")
		}
		if _, err := tcp.NewClient(r.k, cfg); err == nil || !strings.Contains(err.Error(), "not today") {
			t.Errorf("got %v", err)
		}
		cfg.Started = func(_ *kernel.Context, conn *conn) error { conn.Shutdown(); return nil }
		cl, err := tcp.NewClient(r.k, cfg)
		if err != nil {
			t.Fatal(err)
		}
		r.ended(cl.Session())
		r.want("started in _start") // and no attempt
	})
}

func TestC26_ClientPreConnect(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for name, tc := range map[string]struct {
			preConnect func(*kernel.Context, net.Conn) (net.Conn, error)
			want       []string
		}{
			"wraps":   {func(_ *kernel.Context, nc net.Conn) (net.Conn, error) { return &shouting{nc}, nil }, []string{"started", "connected", "input thanks", "disconnected nil"}},
			"refuses": {func(*kernel.Context, net.Conn) (net.Conn, error) { return nil, nil }, []string{"started"}},
			"fails":   {func(*kernel.Context, net.Conn) (net.Conn, error) { return nil, errors.New("no") }, []string{"started", "failed preconnect no"}},
		} {
			r := newRig(t, m)
			l := listen(t)
			cfg := r.notedClient(l.Addr())
			cfg.PreConnect = tc.preConnect
			cfg.Connected = func(_ *kernel.Context, conn *conn) error { r.note("connected"); return conn.Put("hello") }
			cfg.ServerInput = func(_ *kernel.Context, conn *conn, line string) error {
				r.note("input %s", line)
				conn.Shutdown()
				return nil
			}
			cl := r.client(cfg)
			p := accept(t, l)
			if name == "wraps" {
				p.line("HELLO")
				p.send("thanks\n")
			}
			p.end()
			p.Close()
			r.ended(cl.Session())
			r.want(tc.want...)
		}
	})
}

// A second attempt that the callback asks for is not undone (it is in POE), be it
// asked for by a call, a post or a timer.
func TestC28_ReconnectInConnectError(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, how := range []func(c *kernel.Context, to string) error{
			func(c *kernel.Context, to string) error { _, err := tcp.Connect.Call(c, c.Self(), to); return err },
			func(c *kernel.Context, to string) error { return tcp.Connect.Yield(c, to) },
			func(c *kernel.Context, to string) error { tcp.Connect.Delay(c, time.Millisecond, to); return nil },
		} {
			for _, attempts := range []int{0, tcp.NoLimit} { // it goes before the policy's wait
				r := newRig(t, m)
				l := listen(t)
				cfg := r.notedClient(nobody(t))
				cfg.Reconnect = tcp.ReconnectPolicy{Attempts: attempts, Min: time.Hour, Max: time.Hour}
				cfg.ConnectError = errorThen(r, func(c *kernel.Context) error { return how(c, l.Addr().String()) })
				cfg.Connected = func(_ *kernel.Context, conn *conn) error { r.note("connected"); conn.Shutdown(); return nil }
				cl := r.client(cfg)
				p := accept(t, l)
				p.end()
				p.Close()
				r.ended(cl.Session())
				r.want("started", "failed connect connection refused", "preconnect", "connected", "disconnected nil")
			}
		}
	})
}

func TestC29_ConnectTimeout(t *testing.T) {
	for seed := range uint64(3) {
		k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: never{}}))
		var got []string
		cfg := clientConfig{
			RemoteAddress: "192.0.2.1:80", ConnectTimeout: 7 * time.Second, Filter: lines, ServerInput: echo,
			ConnectError: errorNote(func(s string) { got = append(got, s+" "+k.Now().Sub(kerneltest.Epoch).String()) }),
		}
		if _, err := tcp.NewClient(k, cfg); err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		if want := []string{"connect " + syscall.ETIMEDOUT.Error() + " 7s"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// never is a network where connecting takes for ever.
type never struct{ kernel.Network }

func (never) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestC30_C32_ClientShutdownFlushes(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		long := strings.Repeat("x", 8<<20)
		cfg := r.notedClient(l.Addr())
		cfg.Alias = "client"
		cfg.ServerInput = func(c *kernel.Context, conn *conn, line string) error {
			r.note("input %s", line)
			if err := conn.Put(long); err != nil {
				return err
			}
			return errors.Join(c.Post("client", "shutdown"), c.Post("client", "shutdown")) // twice, while flushing (C34)
		}
		cfg.ServerFlushed = func(*kernel.Context, *conn) error { r.note("flushed"); return nil }
		cfg.Disconnected = func(_ *kernel.Context, conn *conn) error {
			r.note("disconnected %v, connected %v", conn.Err(), conn.Connected())
			if err := conn.Put("too late"); !errors.Is(err, tcp.ErrNotConnected) {
				t.Errorf("Put in Disconnected: %v", err)
			}
			return nil
		}
		cl := r.client(cfg)
		p := accept(t, l)
		p.send("one\n")
		p.line(long)
		p.send("two\n")
		p.end()
		p.Close()
		r.ended(cl.Session())
		r.want("started", "preconnect", "connected", "input one", "flushed", "disconnected <nil>, connected false")
	})
}

// While it connects, or waits to, a client that is shut down ends without a word.
func TestC33_ShutdownWhileConnecting(t *testing.T) {
	for seed := range uint64(3) {
		k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: never{}}))
		said := func(s string) { t.Errorf("it said %s", s) }
		cl, err := tcp.NewClient(k, clientConfig{
			RemoteAddress: "192.0.2.1:80", Filter: lines, ServerInput: echo, Alias: "client",
			ConnectError: errorNote(said), Disconnected: func(*kernel.Context, *conn) error { said("disconnected"); return nil },
			Started: func(c *kernel.Context, _ *conn) error { tcp.Shutdown.Delay(c, time.Second, struct{}{}); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		if st := cl.State(); st.Attempts != 1 || st.State != "resting" {
			t.Errorf("state %+v", st)
		}
	}
}

func TestC35_ReconnectAndConnectWhileConnected(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		first, second := listen(t), listen(t)
		cfg := r.notedClient(first.Addr())
		cfg.PreConnect = nil
		cfg.Connected = func(_ *kernel.Context, conn *conn) error {
			conn.Heap = conn.RemoteAddr().String() // the Conn stays the same
			r.note("connected")
			return nil
		}
		cl := r.client(cfg)
		a := accept(t, first)
		r.await("connected")
		cl.Reconnect()
		a.end()
		b := accept(t, first)
		r.await("connected", 2)
		cl.Connect(second.Addr().String())
		b.end()
		p := accept(t, second)
		r.await("connected", 3)
		cl.Reconnect() // the second address is remembered
		p.end()
		q := accept(t, second)
		r.await("connected", 4)
		q.send("hello\n")
		r.await("input hello")
		cl.Shutdown()
		q.end()
		q.Close()
		r.ended(cl.Session())
		r.want("started", "connected", "disconnected nil", "connected", "disconnected nil", "connected", "disconnected nil", "connected", "input hello", "disconnected nil")
	})
}

func TestC36_AliasGoesAndComesBack(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		there := func() bool { _, ok := r.k.Resolve("client"); return ok }
		cfg := r.notedClient(l.Addr())
		cfg.Alias = "client"
		cfg.Connected = func(*kernel.Context, *conn) error { r.note("connected, alias %v", there()); return nil }
		stay := true
		cfg.Disconnected = func(c *kernel.Context, conn *conn) error {
			if stay {
				stay = false
				tcp.Reconnect.Delay(c, 20*time.Millisecond, struct{}{})
			}
			r.note("disconnected")
			return nil
		}
		cl := r.client(cfg)
		p := accept(t, l)
		r.await("connected, alias true")
		if err := r.k.Post("client", "shutdown"); err != nil {
			t.Fatal(err)
		}
		p.end()
		p.Close()
		r.await("disconnected")
		r.until("the alias is back", there)
		p = accept(t, l)
		r.await("connected, alias true", 2)
		p.Close() // the peer's end does the same
		r.ended(cl.Session())
		if there() {
			t.Error("the alias is left")
		}
	})
}

func TestC37_ClientStatesAndMarks(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		cfg := r.notedClient(l.Addr())
		cfg.Limits = tcp.Limits{HighMark: 1 << 20, LowMark: 1 << 10}
		long := strings.Repeat("x", 8<<20)
		cfg.States = []state{tcp.Handle("go", func(_ *kernel.Context, conn *conn) error { return conn.Put(long) })}
		cfg.ServerHigh = func(_ *kernel.Context, conn *conn) error { r.note("high %v", conn.High()); return nil }
		cfg.ServerLow = func(_ *kernel.Context, conn *conn) error {
			r.note("low %v", conn.High())
			conn.Shutdown()
			return nil
		}
		cl := r.client(cfg)
		p := accept(t, l)
		r.await("connected")
		if err := r.k.Post(cl.Session(), "go"); err != nil {
			t.Fatal(err)
		}
		r.await("high true")
		p.line(long)
		r.await("low false")
		p.end()
	})
}

// The end of one connection says nothing about the next (it does in POE).
func TestC38_ShutdownAfterAReconnectFlushes(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		long := strings.Repeat("x", 8<<20)
		cfg := r.notedClient(l.Addr())
		cfg.Reconnect = tcp.ReconnectPolicy{Attempts: 1, Min: time.Millisecond}
		cfg.ServerInput = func(_ *kernel.Context, conn *conn, _ string) error {
			defer conn.Shutdown()
			return conn.Put(long)
		}
		cl := r.client(cfg)
		p := accept(t, l)
		r.await("connected")
		p.reset()
		r.await("disconnected connection reset by peer")
		p = accept(t, l)
		p.send("go\n")
		p.line(long)
		p.end()
		p.Close()
		r.await("disconnected nil")
		r.ended(cl.Session())
	})
}

func TestC39_BindAddress(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		from := nobody(t).String()
		cfg := r.notedClient(l.Addr())
		cfg.BindAddress = from
		r.client(cfg)
		p := accept(t, l)
		if got := p.RemoteAddr().String(); got != from {
			t.Errorf("it comes from %v, want %v", got, from)
		}
		p.Close()
		r.await("disconnected nil")
	})
}

// What runs in the component's session runs for it: the parent's timers and
// aliases are not in scope.
func TestC41_CallbacksRunInTheClientsSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		cfg := r.notedClient(l.Addr())
		cfg.Filter, cfg.ServerInput = lines, echo
		cfg.Connected = func(c *kernel.Context, conn *conn) error {
			r.note("aliases %v, cleared %d", c.AliasList(), c.AlarmClear("later"))
			conn.Shutdown()
			return nil
		}
		parent, err := r.k.SpawnHeld(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				c.Delay("later", time.Hour)
				_, err := tcp.NewClient(c, cfg)
				return err
			}),
			session.Handle("_child", func(c *kernel.Context) error { r.note("child %v", c.Arg(0)); return nil }),
			session.Handle("end", func(c *kernel.Context) error { r.note("cleared %d", c.AlarmClear("later")); return nil }),
		), kernel.Alias("parent"))
		if err != nil {
			t.Fatal(err)
		}
		p := accept(t, l)
		p.end()
		p.Close()
		r.await("child lose")
		_ = parent.Post("end")
		r.await("cleared 1")
		r.want("started", "child create", "preconnect", "aliases [], cleared 0", "disconnected nil", "child lose", "cleared 1")
		parent.Release()
	})
}

// A connection that PreConnect panics about is closed.
func TestC26_PreConnectPanics(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		cfg := r.notedClient(l.Addr())
		cfg.Started = func(c *kernel.Context, _ *conn) error { c.Sig("DIE", "die"); return nil }
		cfg.States = []state{tcp.Handle("die", func(c *kernel.Context, _ *conn) error { c.SigHandled(); r.note("die"); return nil })}
		cfg.PreConnect = func(*kernel.Context, net.Conn) (net.Conn, error) { panic("no idea") }
		cl := r.client(cfg)
		accept(t, l).end()
		r.await("die")
		r.ended(cl.Session())
		r.want("die")
	})
}
