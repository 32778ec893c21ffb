package tcp_test

import (
	"errors"
	"net"
	"testing"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// Clients over the limit wait, and come in as others go.
func TestC16_Concurrency(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Concurrency = 2
		s := r.server(cfg)
		var waiting []*peer
		for range 5 {
			p := r.dial(s.Addr())
			p.send("hello\n")
			waiting = append(waiting, p)
		}
		for i, p := range waiting {
			p.line("hello")
			if st := s.State(); st.Connections > 2 || st.Accepted > uint64(i)+2 {
				t.Errorf("after %d ends: %+v", i, st)
			}
			if i == 0 {
				r.until("the server is full", func() bool { st := s.State(); return st.Paused && st.Connections == 2 && st.Concurrency == 2 })
			}
			p.Close()
		}
		r.await("disconnected nil", 5)
		r.until("nobody is there", func() bool { st := s.State(); return st.Connections == 0 && !st.Paused && st.Accepted == 5 })
	})
}

// 0 in the configuration is any number; for nobody there is SetConcurrency.
func TestC17_ZeroIsNoLimit(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, n := range []int{0, tcp.NoLimit} {
			r := newRig(t, m)
			cfg := r.noted()
			cfg.Concurrency = n
			s := r.server(cfg)
			for range 5 {
				p := r.dial(s.Addr())
				p.send("hello\n")
				p.line("hello")
			}
			if st := s.State(); st.Connections != 5 || st.Concurrency != tcp.NoLimit {
				t.Errorf("Concurrency %d: %+v", n, st)
			}
		}
	})
}

func TestC17_C18_SetConcurrencyLive(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Started = func(c *kernel.Context) error {
			_, err := tcp.SetConcurrency.Call(c, c.Self(), 0) // nobody, from the beginning
			return err
		}
		s := r.server(cfg)
		p := r.dial(s.Addr())
		p.send("hello\n")
		if st := s.State(); st.Connections != 0 || !st.Paused {
			t.Errorf("with 0: %+v", st)
		}
		s.SetConcurrency(1)
		p.line("hello")
		q := r.dial(s.Addr())
		q.send("me too\n")
		r.until("the server is full", func() bool { st := s.State(); return st.Paused && st.Connections == 1 })
		s.SetConcurrency(tcp.NoLimit) // POE would stay paused for ever
		q.line("me too")
		s.SetConcurrency(1) // below what there is: nobody is sent away
		r.until("it is paused", func() bool { return s.State().Paused })
		p.send("still\n")
		p.line("still")
		p.Close()
		r.await("disconnected nil")
		if st := s.State(); !st.Paused && st.Connections != 1 {
			t.Errorf("at the limit: %+v", st)
		}
	})
}

func TestC2_C19_Acceptor(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported())
		taken := make(chan net.Conn, 10)
		s := r.server(serverConfig{
			Concurrency: 1, Alias: "raw",
			Acceptor: func(c *kernel.Context, nc net.Conn) error {
				if len(r.entries()) == 2 {
					r.note("refused")
					return errors.New("not now")
				}
				r.note("accepted by %v", c.Self() != "")
				taken <- nc
				return nil
			},
		})
		first, second, third, fourth := r.dial(s.Addr()), r.dial(s.Addr()), r.dial(s.Addr()), r.dial(s.Addr())
		r.await("accepted by true")
		nc := <-taken
		if st := s.State(); st.Connections != 1 || !st.Paused {
			t.Errorf("the first one: %+v", st)
		}
		nc.Close()
		first.end()
		_ = r.k.Post("raw", "disconnected")
		r.await("accepted by true", 2)
		(<-taken).Close()
		second.end()
		_ = r.k.Post("raw", "disconnected")
		r.await("refused")
		third.end()
		r.await("report: connection failed as it began: not now") // it makes room by itself
		r.await("accepted by true", 3)
		(<-taken).Close()
		fourth.end()
		_ = r.k.Post("raw", "disconnected")
		r.until("nobody is left", func() bool { return s.State().Connections == 0 })
		_ = r.k.Post("raw", "disconnected") // once too often
		r.until("it is reported", func() bool { return len(r.entries()) == 6 })
		if st := s.State(); st.Connections != 0 || st.Refused != 1 {
			t.Errorf("at the end %+v", st)
		}
	})
}
