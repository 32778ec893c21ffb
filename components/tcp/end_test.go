package tcp_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
)

// Records that came in one read with the one that asked for the shutdown do not
// come any more.
func TestC12_NoInputAfterShutdown(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, end := range []func(*conn){(*conn).Shutdown, (*conn).Close} {
			r := newRig(t, m)
			cfg := r.noted()
			cfg.ClientInput = func(_ *kernel.Context, conn *conn, line string) error {
				r.note("input %s", line)
				if line == "two" {
					end(conn)
				}
				return nil
			}
			p := r.dial(r.server(cfg).Addr())
			p.send("one\ntwo\nthree\nfour\n")
			p.hungUp()
			r.await("disconnected nil")
			r.want("preconnect", "connected", "input one", "input two", "disconnected nil")
		}
	})
}

func TestC13_EndOfInputAndReset(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(r.noted())
		p := r.dial(s.Addr())
		p.send("unfinished")
		p.Close()
		r.await("disconnected nil")
		p = r.dial(s.Addr())
		r.await("connected", 2)
		p.send("in mid-line")
		p.reset()
		r.await("disconnected connection reset by peer")
		r.want("preconnect", "connected", "error read EOF", "disconnected nil",
			"preconnect", "connected", "error read connection reset by peer", "disconnected connection reset by peer")
	})
}

// Without a callback the usual ends are ignored, and the rest is reported: here a
// line that the filter refuses.
func TestC13_DefaultClientError(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported())
		cfg := r.noted()
		cfg.ClientError, cfg.ClientPreConnect, cfg.ClientConnected = nil, nil, nil
		cfg.Filter = shortLines
		s := r.server(cfg)
		r.dial(s.Addr()).Close()
		r.await("disconnected nil")
		p := r.dial(s.Addr())
		p.reset()
		r.await("disconnected connection reset by peer")
		p = r.dial(s.Addr())
		p.send(strings.Repeat("x", 100) + "\nafter\n")
		p.hungUp()
		r.until("it ends", func() bool { return len(r.entries()) == 4 })
		if log := r.entries(); !strings.HasPrefix(log[2], "report: connection error, filter") || !strings.HasPrefix(log[3], "disconnected ") || log[3] == "disconnected nil" {
			t.Errorf("the log is %q", log)
		}
	})
}

// What a ClientError puts is still sent, but for a failed write.
func TestC13_LastWords(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Filter = shortLines
		cfg.ClientError = func(_ *kernel.Context, conn *conn, e *wheel.Error) error { return conn.Put("goodbye " + e.Op) }
		s := r.server(cfg)
		p := r.dial(s.Addr())
		p.send(strings.Repeat("x", 100) + "\nignored\n")
		p.line("goodbye filter")
		p.end()
		p = r.dial(s.Addr())
		p.send("hello\n")
		closeWrite(t, p)
		p.line("hello")
		p.line("goodbye read")
		p.end()
	})
}

func TestC13_KeepOnError(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Filter = shortLines
		cfg.ClientKeepOnError = true
		later := kernel.Event[string]("later")
		cfg.ClientError = func(c *kernel.Context, _ *conn, e *wheel.Error) error {
			r.note("error %s", e.Op)
			if errors.Is(e, io.EOF) {
				later.Delay(c, 5*time.Millisecond, "after the end")
			}
			return nil
		}
		cfg.ClientStates = []state{tcp.On(later, func(_ *kernel.Context, conn *conn, s string) error {
			defer conn.Shutdown()
			return conn.Put(s)
		})}
		p := r.dial(r.server(cfg).Addr())
		p.send(strings.Repeat("x", 100) + "\nfine\n")
		p.line("fine")
		closeWrite(t, p)
		p.line("after the end")
		p.end()
		r.await("disconnected nil")
	})
}

// The end of input does not lose what is being sent (POE closes at once then).
func TestC14_OutputIsFlushedFirst(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, how := range []string{"method", "event", "end of input"} {
			r := newRig(t, m)
			long := strings.Repeat("x", 8<<20) // more than the sockets take
			cfg := r.noted()
			cfg.ClientInput = func(c *kernel.Context, conn *conn, line string) error {
				r.note("input %s", line)
				if err := conn.Put(long); err != nil {
					return err
				}
				switch how {
				case "method":
					conn.Shutdown()
					conn.Shutdown()
				case "event":
					return errors.Join(c.Post(c.Self(), "shutdown"), c.Post(c.Self(), "shutdown"))
				}
				return nil
			}
			cfg.ClientDisconnected = func(_ *kernel.Context, conn *conn) error {
				r.note("disconnected %s from %v", cause(conn.Err()), conn.RemoteAddr() != nil)
				if err := conn.Put("too late"); !errors.Is(err, tcp.ErrNotConnected) || !errors.Is(err, wheel.ErrClosed) {
					t.Errorf("Put in Disconnected: %v", err)
				}
				return nil
			}
			p := r.dial(r.server(cfg).Addr())
			p.send("go\n")
			if how == "end of input" {
				closeWrite(t, p)
			}
			p.line(long)
			p.end()
			p.Close()
			r.await("disconnected nil from true")
			if how == "end of input" {
				r.want("preconnect", "connected", "input go", "error read EOF", "flushed", "disconnected nil from true")
			} else {
				r.want("preconnect", "connected", "input go", "flushed", "disconnected nil from true")
			}
		}
	})
}

func TestC14_NothingBufferedClosesAtOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.ClientConnected = func(_ *kernel.Context, conn *conn) error { conn.Shutdown(); return nil }
		p := r.dial(r.server(cfg).Addr())
		p.end()
		p.Close()
		r.await("disconnected nil")
	})
}

func TestC14_FlushTimeout(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Limits.FlushTimeout = 10 * time.Millisecond
		cfg.ClientConnected = func(_ *kernel.Context, conn *conn) error {
			defer conn.Shutdown()
			return conn.Put(strings.Repeat("x", 12<<20)) // nobody reads
		}
		r.dial(r.server(cfg).Addr())
		r.await("disconnected " + tcp.ErrStuck.Error())
	})
}

func TestC15_ListenerShutdown(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Alias = "here"
		cfg.Stopped = func(*kernel.Context) error { r.note("stopped"); return nil }
		s := r.server(cfg)
		a, b := r.dial(s.Addr()), r.dial(s.Addr())
		r.await("connected", 2)
		r.clear()
		if err := r.k.Post("here", "shutdown"); err != nil {
			t.Fatal(err)
		}
		s.Shutdown() // again
		r.until("the alias is gone", func() bool { _, ok := r.k.Resolve("here"); return !ok })
		refused(t, s.Addr())
		for _, p := range []*peer{a, b} {
			p.send("still there\n")
			p.line("still there")
			p.Close()
			r.await("disconnected nil")
		}
		r.await("stopped")
		log := r.entries()
		if log[len(log)-1] != "stopped" || count(log, "disconnected nil") != 2 {
			t.Errorf("the log is %q", log)
		}
		if st := s.State(); st.Listening || st.Connections != 0 {
			t.Errorf("state at the end %+v", st)
		}
		if d := r.k.Descriptions(); len(d) != 0 {
			t.Errorf("descriptions are left: %v", d)
		}
	})
}

// The program may take the alias itself, and give it to somebody else.
func TestC15_ShutdownWithoutItsAlias(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Alias = "echo"
		cfg.Started = func(c *kernel.Context) error { return c.AliasRemove("echo") }
		cfg.Stopped = func(*kernel.Context) error { r.note("stopped"); return nil }
		s := r.server(cfg)
		s.Shutdown()
		r.await("stopped")
		r.want("stopped")
	})
}

func TestDrain(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Stopped = func(*kernel.Context) error { r.note("stopped"); return nil }
		cfg.ClientDrain = func(_ *kernel.Context, conn *conn) error { return conn.Put("finish, please") }
		s := r.server(cfg)
		polite, stubborn := r.dial(s.Addr()), r.dial(s.Addr())
		r.await("connected", 2)
		s.Drain(50 * time.Millisecond)
		polite.line("finish, please")
		polite.Close()
		stubborn.line("finish, please")
		stubborn.end() // after the time
		stubborn.Close()
		r.await("stopped")
		refused(t, s.Addr())
	})
}

// A drain is over when the last connection is, not at its deadline.
func TestDrainEndsEarly(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Stopped = func(*kernel.Context) error { r.note("stopped"); return nil }
		cfg.ClientDrain = func(_ *kernel.Context, conn *conn) error { conn.Shutdown(); return nil }
		s := r.server(cfg)
		p := r.dial(s.Addr())
		r.await("connected")
		s.Drain(24 * time.Hour)
		p.end()
		p.Close()
		r.await("stopped")
	})
}

func TestIdleTimeout(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Limits.IdleTimeout = 200 * time.Millisecond
		cfg.Listener = listen(t)
		p := r.dial(cfg.Listener.Addr())
		p.send("hello\nand then half a line") // before anybody counts the time
		r.server(cfg)
		p.line("hello")
		p.end()
		p.Close()
		r.await("disconnected " + tcp.ErrIdle.Error())
		if count(r.entries(), "error idle "+tcp.ErrIdle.Error()) != 1 {
			t.Errorf("the log is %q", r.entries())
		}
	})
}

// A session that is stopped from outside tells Disconnected all the same.
func TestC8_DisconnectedAfterAStop(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowDropped())
		cfg := r.noted()
		cfg.ClientInput = func(c *kernel.Context, _ *conn, line string) error {
			if line == "stop" {
				c.Stop()
				return nil
			}
			return c.Signal(c.Self(), "TERM")
		}
		s := r.server(cfg)
		for i, word := range []string{"stop\n", "term\n"} {
			p := r.dial(s.Addr())
			p.send(word)
			p.end()
			r.await("disconnected nil", i+1)
		}
		r.dial(s.Addr())
		r.await("connected", 3)
		r.stop()
		r.await("disconnected nil", 3)
	})
}

// A connection that has ended is not told of a drain, though its session goes on.
func TestDrainOfWhoHasLeft(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		later := kernel.Event[struct{}]("later")
		cfg := r.noted()
		cfg.Alias = "server"
		cfg.ClientDrain = func(*kernel.Context, *conn) error { r.note("drain"); return nil }
		cfg.ClientDisconnected = func(c *kernel.Context, _ *conn) error {
			r.note("disconnected")
			later.Delay(c, 20*time.Millisecond, struct{}{})
			return tcp.Drain.Post(c, "server", 0)
		}
		cfg.ClientStates = []state{tcp.On(later, func(*kernel.Context, *conn, struct{}) error { r.note("later"); return nil })}
		s := r.server(cfg)
		p := r.dial(s.Addr())
		r.await("connected")
		p.Close()
		r.ended(s.Session())
		r.want("preconnect", "connected", "error read EOF", "disconnected", "later")
	})
}
