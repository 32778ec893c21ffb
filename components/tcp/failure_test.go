package tcp_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// badly are the ways in which a handler may fail.
var badly = map[string]func() error{
	"error":  func() error { return errors.New("as you asked") },
	"panic":  func() error { panic("as you asked") },
	"goexit": func() error { runtime.Goexit(); return nil },
}

// A handler that fails costs its connection: no record more, Disconnected, a
// report. Everybody else lives on.
func TestFailingHandlerCostsOneConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for how, fail := range badly {
			for _, where := range []string{"connected", "input", "flushed", "error", "state", "disconnected", "nowhere"} {
				if how == "goexit" && (m == kernel.Serial || where == "connected" || where == "disconnected") {
					continue // it ends Run's goroutine, the server's handler, or the wheel's turn, as well
				}
				t.Run(how+" in "+where, func(t *testing.T) {
					r := newRig(t, m, kerneltest.AllowReported(), kerneltest.AllowDropped())
					cfg := r.noted()
					var victim atomic.Bool
					in := func(here string, f func(*kernel.Context, *conn) error) func(*kernel.Context, *conn) error {
						return func(c *kernel.Context, conn *conn) error {
							if victim.Load() && here == where {
								return fail()
							}
							return f(c, conn)
						}
					}
					note := func(s string) func(*kernel.Context, *conn) error {
						return func(*kernel.Context, *conn) error { r.note("%s", s); return nil }
					}
					cfg.ClientPreConnect = nil
					cfg.ClientConnected = in("connected", note("connected"))
					cfg.ClientInput = func(c *kernel.Context, to *conn, line string) error {
						return in("input", func(c *kernel.Context, conn *conn) error {
							r.note("input %s", line)
							if line == "one" {
								_ = c.Yield("extra")
							}
							return conn.Put(line)
						})(c, to)
					}
					cfg.ClientFlushed = in("flushed", note("flushed"))
					cfg.ClientError = func(c *kernel.Context, conn *conn, _ *wheel.Error) error {
						return in("error", note("error"))(c, conn)
					}
					cfg.ClientDisconnected = in("disconnected", note("disconnected"))
					cfg.ClientStates = []state{tcp.Handle("extra", in("state", func(*kernel.Context, *conn) error { return nil }))}
					s := r.server(cfg)
					well := r.dial(s.Addr())
					well.send("hello\n")
					well.line("hello")
					r.await("flushed")
					r.clear()
					victim.Store(true)
					p := r.dial(s.Addr())
					_, _ = p.Write([]byte("one\ntwo\n"))
					if where == "error" || where == "disconnected" || where == "nowhere" {
						p.line("one")
						p.line("two")
						p.Close()
					}
					p.hungUp()
					r.until("the connection ends", func() bool { st := s.State(); return st.Accepted == 2 && st.Connections == 1 })
					victim.Store(false)
					well.send("still here\n")
					well.line("still here")
					log := r.entries()
					switch where {
					case "nowhere":
						if s.State().Failed != 0 || count(log, "disconnected") != 1 {
							t.Errorf("nothing failed: %+v, %q", s.State(), log)
						}
						return
					case "connected":
						if st := s.State(); st.Refused != 1 && st.Failed != 1 {
							t.Errorf("state %+v", st)
						}
					case "input":
						if count(log, "input one")+count(log, "input two") != 0 {
							t.Errorf("records after the failure: %q", log)
						}
						fallthrough
					default:
						r.until("it is counted", func() bool { return s.State().Failed == 1 })
					}
					if where != "disconnected" && count(r.entries(), "disconnected") != 1 {
						t.Errorf("Disconnected does not follow once: %q", r.entries())
					}
					reports := 0
					for _, e := range r.entries() {
						if strings.HasPrefix(e, "report: ") {
							reports++
						}
					}
					if reports != 1 {
						t.Errorf("%d reports, want 1: %q", reports, r.entries())
					}
				})
			}
		}
	})
}

// A client's failing handler is the program's own failure: the connection is
// closed, there is no other, and DIE goes its way.
func TestFailingClientHandlerIsTheProgramsFailure(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		l := listen(t)
		cfg := r.notedClient(l.Addr())
		cfg.Filter = lines
		cfg.Reconnect = tcp.ReconnectPolicy{Attempts: tcp.NoLimit, Min: 1}
		cfg.ServerInput = func(_ *kernel.Context, _ *conn, line string) error {
			r.note("input %s", line)
			return fmt.Errorf("cannot do with %s", line)
		}
		var cl *tcp.Client
		parent, err := r.k.SpawnHeld(session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				c.Sig("DIE", "die")
				cl, err = tcp.NewClient(c, cfg)
				return err
			}),
			session.Handle("die", func(c *kernel.Context) error {
				c.SigHandled()
				r.note("parent: %s", cause(c.Arg(1).(*kernel.Exception).Err))
				return nil
			}),
			session.Handle("_child", func(c *kernel.Context) error { r.note("child %v", c.Arg(0)); return nil }),
		))
		if err != nil {
			t.Fatal(err)
		}
		defer parent.Release()
		p := accept(t, l)
		p.send("one\ntwo\n")
		p.hungUp()
		r.await("parent: cannot do with one")
		r.await("child lose")
		if log := r.entries(); count(log, "input one") != 1 || count(log, "input two") != 0 || count(log, "disconnected cannot do with one") != 1 {
			t.Errorf("the log is %q", log)
		}
		if st := cl.State(); st.Attempts != 1 {
			t.Errorf("it tried again: %+v", st)
		}
	})
}

// The failure of who made a server is not the server's to handle.
func TestParentsFailureIsNotHandledHere(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{}})
		if _, err := k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				if _, err := tcp.NewServer(c, withFilter(serverConfig{ClientInput: echo})); err != nil {
					return err
				}
				return c.Yield("fail")
			}),
			session.Handle("fail", func(*kernel.Context) error { return errors.New("the parent's own") }),
		)); err != nil {
			t.Fatal(err)
		}
		if err := k.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "the parent's own") {
			t.Errorf("%v: Run returns %v", m, err)
		}
	}
}

// Output that the peer does not take ends its connection when the limit is
// reached, whatever the configuration says, but not its server, and is no failure of
// the handler that returned Put's error.
func TestPeerThatDoesNotRead(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, keep := range []bool{false, true} {
			r := newRig(t, m)
			cfg := r.noted()
			cfg.Limits.MaxOutput = 1 << 20
			cfg.ClientKeepOnError = keep
			cfg.ClientInput = func(_ *kernel.Context, conn *conn, line string) error {
				for {
					if err := conn.Put(strings.Repeat(line, 1000)); err != nil {
						return err
					}
				}
			}
			s := r.server(cfg)
			p := r.dial(s.Addr())
			p.send("flood\n")
			r.await("disconnected " + wheel.ErrOutputFull.Error())
			r.want("preconnect", "connected", "error write "+wheel.ErrOutputFull.Error(), "disconnected "+wheel.ErrOutputFull.Error())
			p.hungUp()
			if st := s.State(); st.Failed != 0 {
				t.Errorf("state %+v", st)
			}
		}
	})
}

// A Put that comes too late because the peer is gone is no failure either.
func TestPutAfterThePeersReset(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.ClientError = func(_ *kernel.Context, conn *conn, _ *wheel.Error) error { return conn.Put("too late") }
		s := r.server(cfg)
		for i := range 20 {
			p := r.dial(s.Addr())
			p.send(strings.Repeat("hello\n", 1000))
			p.line("hello")
			p.reset()
			r.until("it ends", func() bool { st := s.State(); return st.Connections == 0 && st.Accepted == uint64(i)+1 })
		}
		if st := s.State(); st.Failed != 0 {
			t.Errorf("state %+v", st)
		}
	})
}

// Garbage that the filter cannot go on with ends the connection, whatever the
// configuration says.
func TestGarbageThatEndsTheFilter(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, keep := range []bool{false, true} {
			r := newRig(t, m)
			cfg := r.noted()
			cfg.Filter = hopeless
			cfg.ClientKeepOnError = keep
			cfg.ClientError = func(_ *kernel.Context, _ *conn, e *wheel.Error) error { r.note("error %s", e.Op); return nil }
			cfg.ClientDisconnected = func(_ *kernel.Context, conn *conn) error { r.note("disconnected %v", conn.Err() != nil); return nil }
			p := r.dial(r.server(cfg).Addr())
			p.send("anything\n")
			p.hungUp()
			r.await("disconnected true")
			r.want("preconnect", "connected", "error filter", "disconnected true")
		}
	})
}

// Started is the place for what a server does about signals, and a watch of DIE
// there takes the server's place.
func TestStartedWatchesSignals(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.ClientPreConnect, cfg.ClientFlushed = nil, nil
		cfg.Started = func(c *kernel.Context) error {
			c.Sig("DIE", "die")
			c.State("die", func(c *kernel.Context) error {
				c.SigHandled()
				r.note("die: %s", cause(c.Arg(1).(*kernel.Exception).Err))
				return nil
			})
			c.Sig("TERM", "term")
			c.State("term", func(c *kernel.Context) error {
				c.SigHandled()
				r.note("term")
				return tcp.Drain.Post(c, c.Self(), time.Hour)
			})
			return nil
		}
		cfg.ClientDrain = func(_ *kernel.Context, conn *conn) error { defer conn.Shutdown(); return conn.Put("bye") }
		cfg.ClientInput = func(*kernel.Context, *conn, string) error { return errors.New("cannot do") }
		s := r.server(cfg)
		p := r.dial(s.Addr())
		p.send("hello\n")
		p.hungUp()
		r.await("die: cannot do")
		r.clear()
		q := r.dial(s.Addr())
		r.await("connected")
		if err := r.k.Signal(s.Session(), "TERM"); err != nil {
			t.Fatal(err)
		}
		q.line("bye")
		q.end()
		q.Close()
		r.ended(s.Session())
		r.want("connected", "term", "disconnected nil")
	})
}
