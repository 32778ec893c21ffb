package tcp_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// A connection whose session stops itself before it has begun has a place under the
// limit neither then nor later.
func TestC16_ConnectedStopsItsSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowDropped())
		cfg := r.noted()
		cfg.Concurrency = 1
		cfg.ClientConnected = func(c *kernel.Context, _ *conn) error { c.Stop(); return nil }
		s := r.server(cfg)
		for range 3 {
			r.dial(s.Addr()).hungUp()
		}
		r.await("disconnected nil", 3)
		r.until("nobody is there", func() bool { st := s.State(); return st.Accepted == 3 && st.Connections == 0 && !st.Paused })
	})
}

// A handler that fails and stops its session, or has it stopped before DIE has come,
// costs its connection and no more: there, nobody could handle DIE.
func TestFailureOfASessionThatStops(t *testing.T) {
	stop := func(c *kernel.Context, _ *conn) error { c.Stop(); return nil }
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for how, fail := range badly {
			if how == "goexit" {
				continue
			}
			for when, f := range map[string]func(c *kernel.Context, conn *conn) error{
				"in the handler": func(c *kernel.Context, _ *conn) error { c.Stop(); return fail() },
				"before DIE": func(c *kernel.Context, _ *conn) error {
					if err := c.Yield("quit"); err != nil {
						return err
					}
					return fail()
				},
				"in Disconnected": func(c *kernel.Context, conn *conn) error { conn.Heap = "stop"; return fail() },
				"and Disconnected fails at once": func(c *kernel.Context, conn *conn) error {
					conn.Heap = "fail"
					c.Stop()
					conn.Close()
					return nil
				},
				"and Disconnected fails": func(c *kernel.Context, conn *conn) error { conn.Heap = "fail"; c.Stop(); return nil },
			} {
				t.Run(how+" "+when, func(t *testing.T) {
					r := newRig(t, m, kerneltest.AllowReported(), kerneltest.AllowDropped())
					cfg := r.noted()
					cfg.ClientInput = func(c *kernel.Context, conn *conn, line string) error {
						if line == "fail" {
							return f(c, conn)
						}
						return conn.Put(line)
					}
					cfg.ClientDisconnected = func(c *kernel.Context, conn *conn) error {
						r.note("disconnected")
						switch conn.Heap {
						case "stop":
							c.Stop()
						case "fail":
							return fail()
						}
						return nil
					}
					cfg.ClientStates = []state{tcp.Handle("quit", stop)}
					s := r.server(cfg)
					p := r.dial(s.Addr())
					p.send("fail\n")
					p.hungUp()
					r.until("it is gone", func() bool { return s.State().Connections == 0 })
					well := r.dial(s.Addr())
					well.send("still here\n")
					well.line("still here")
					if n := count(r.entries(), "disconnected"); n != 1 {
						t.Errorf("Disconnected was told %d times", n)
					}
				})
			}
		}
	})
}

// However many do so at once, none of them is taken for somebody else's.
func TestFailureOfACrowdThatStops(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported(), kerneltest.AllowDropped())
		cfg := r.noted()
		var crowd []kernel.Address
		var mu sync.Mutex
		cfg.ClientConnected = func(c *kernel.Context, _ *conn) error {
			mu.Lock()
			crowd = append(crowd, c.Self())
			mu.Unlock()
			r.note("connected")
			return nil
		}
		cfg.ClientStates = []state{
			tcp.Handle("fail", func(*kernel.Context, *conn) error { return badly["panic"]() }),
			tcp.Handle("quit", func(c *kernel.Context, _ *conn) error { c.Stop(); return nil }),
		}
		s := r.server(cfg)
		const n = 200
		for range n {
			r.dial(s.Addr())
		}
		r.await("connected", n)
		mu.Lock()
		defer mu.Unlock()
		for _, at := range crowd {
			_ = r.k.Post(at, "fail")
			_ = r.k.Post(at, "quit")
		}
		r.until("all have failed", func() bool { st := s.State(); return st.Connections == 0 && st.Failed == n })
	})
}

// Disconnected, told because of a Reconnect, may decide otherwise: the last word
// counts, and there is one connection at most.
func TestC35_DisconnectedDuringAReconnect(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for what, f := range map[string]func(c *kernel.Context, conn *conn) error{
			"called": func(c *kernel.Context, _ *conn) error {
				_, err := tcp.Reconnect.Call(c, c.Self(), struct{}{})
				return err
			},
			"ended": func(_ *kernel.Context, conn *conn) error { conn.Shutdown(); return nil },
		} {
			t.Run(what, func(t *testing.T) {
				r := newRig(t, m)
				l := listen(t)
				cfg := r.notedClient(l.Addr())
				cfg.Started, cfg.PreConnect, cfg.ConnectError, cfg.ServerError = nil, nil, nil, nil
				told := false
				cfg.Disconnected = func(c *kernel.Context, conn *conn) error {
					if r.note("disconnected"); told {
						return nil
					}
					told = true
					return f(c, conn)
				}
				cl := r.client(cfg)
				first := accept(t, l)
				r.await("connected")
				cl.Reconnect()
				first.end()
				if what != "ended" {
					r.await("connected", 2)
					cl.Shutdown()
				}
				r.ended(cl.Session())
				want := []string{"connected", "disconnected"}
				if what != "ended" {
					want = append(want, want...)
				}
				r.want(want...)
			})
		}
	})
}

// The same of a client, whose session has no server above it.
func TestFailureOfAClientThatStops(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for how, fail := range badly {
			if how == "goexit" {
				continue
			}
			t.Run(how, func(t *testing.T) {
				r := newRig(t, m, kerneltest.AllowReported(), kerneltest.AllowDropped())
				l := listen(t)
				cl := r.client(clientConfig{
					RemoteAddress: l.Addr().String(),
					Connected:     func(c *kernel.Context, conn *conn) error { c.Stop(); conn.Close(); return nil },
					Disconnected:  func(*kernel.Context, *conn) error { r.note("disconnected"); return fail() },
				})
				accept(t, l).hungUp()
				r.ended(cl.Session())
				r.turn() // the kernel goes on
				if log := r.entries(); len(log) != 2 || log[0] != "disconnected" || !strings.HasPrefix(log[1], "report: handler failed as its session stopped") {
					t.Errorf("the log is %q", log)
				}
				if st := cl.State(); st.State != "resting" {
					t.Errorf("state %+v", st)
				}
			})
		}
	})
}
