package keepalive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// sim is a pool under virtual time, over a network in memory, and a session that
// asks it for connections.
type sim struct {
	*testing.T
	k     *kernel.Kernel
	net   *wires
	pool  *Pool
	lease *kernel.Lease
	got   []reply

	listeners []*wheeltest.Listener
}

// reply is a response, and when it came.
type reply struct {
	Response
	at time.Duration
}

// wires is a wheeltest.Network that notes what is asked of it.
type wires struct {
	*wheeltest.Network
	k       *kernel.Kernel
	asked   []string                             // lookups, dials and their cancels, with their times
	silent  map[string]func([]net.IPAddr, error) // names that nobody answers: their question
	late    time.Duration                        // of answers
	answers static                               // of names whose addresses are hosts of their own
}

func (w *wires) Attach(k *kernel.Kernel) {
	w.k = k
	w.Network.Attach(k)
}

func (w *wires) note(format string, args ...any) {
	w.asked = append(w.asked, fmt.Sprintf("%v %s", w.k.Now().Sub(kerneltest.Epoch), fmt.Sprintf(format, args...)))
}

func (w *wires) LookupAsync(ctx context.Context, host string, done func([]net.IPAddr, error)) func() {
	w.note("lookup %s", host)
	cancel := func() {}
	if _, silent := w.silent[host]; silent {
		w.silent[host] = done
	} else if w.answers[host] != nil {
		w.After(w.late, func() { done(w.answers.LookupIPAddr(ctx, host)) })
	} else {
		cancel = w.Network.LookupAsync(ctx, host, done)
	}
	return func() {
		w.note("cancel lookup %s", host)
		cancel()
	}
}

func (w *wires) DialAsync(ctx context.Context, network, address string, done func(net.Conn, error)) func() {
	w.note("dial %s", address)
	cancel := w.Network.DialAsync(ctx, network, address, done)
	return func() {
		w.note("cancel dial %s", address)
		cancel()
	}
}

// simulating runs f for a few seeds, each time with a world of its own, in which
// nothing may be left when f returns.
func simulating(t *testing.T, cfg Config, f func(s *sim)) {
	t.Helper()
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		s := newSim(t, seed, cfg, wheeltest.Link{Delay: 10 * time.Millisecond})
		f(s)
		s.end()
	})
}

func newSim(t *testing.T, seed uint64, cfg Config, link wheeltest.Link, opts ...kerneltest.Option) *sim {
	s := &sim{T: t, net: &wires{Network: wheeltest.New(wheeltest.Config{Seed: seed, Link: link}), silent: map[string]func([]net.IPAddr, error){}}}
	opts = append(opts, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: s.net}))
	s.k = kerneltest.New(t, opts...)
	s.pool = startPool(t, s.k, cfg)
	var err error
	s.lease, err = s.k.SpawnHeld(session.New(
		session.On(evGot, func(c *kernel.Context, r Response) error {
			s.got = append(s.got, reply{r, c.Now().Sub(kerneltest.Epoch)})
			return nil
		}),
		session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
	))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// end lets everything come to its end, and looks for what is left.
func (s *sim) end() {
	s.Helper()
	s.do(func(c *kernel.Context) error {
		s.pool.Shutdown()
		evRun.Delay(c, time.Minute, func(*kernel.Context) error {
			s.lease.Release() // when the pool need not be told any more
			return nil
		})
		return nil
	})
	kerneltest.Run(s, s.k)
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.pass(time.Minute) // for those at the other ends
	s.net.Check(s)
}

// serve accepts on an address, and closes what it accepted when its peer does.
func (s *sim) serve(addresses ...string) {
	s.Helper()
	for _, a := range addresses {
		ln, err := s.net.Listen(background, "tcp", a)
		if err != nil {
			s.Fatal(err)
		}
		l := ln.(*wheeltest.Listener)
		s.listeners = append(s.listeners, l)
		accept := func() {
			if c, err := l.TryAccept(); err == nil {
				s.net.note("accepted at %s", a)
				hear(s.net.Network, c.(*wheeltest.Conn))
			}
		}
		l.Notify(func() { s.net.After(0, accept) })
	}
}

// hear closes c when its peer does.
func hear(n *wheeltest.Network, c *wheeltest.Conn) {
	look := func() {
		if _, err := c.TryRead(make([]byte, 100)); err != nil && !errors.Is(err, wheel.ErrAgain) {
			c.Close()
		}
	}
	c.Notify(func() { n.After(0, look) }, nil)
	n.After(0, look)
}

// do runs f in a handler of the user's session.
func (s *sim) do(f func(*kernel.Context) error) {
	s.Helper()
	if _, err := s.k.Call(background, s.lease.Address(), evRun.Name(), f); err != nil {
		s.Fatal(err)
	}
}

// ask allocates a connection of scheme "test".
func (s *sim) ask(addr string, port int, timeout time.Duration) (id RequestID) {
	s.Helper()
	s.do(func(c *kernel.Context) (err error) {
		id, err = s.pool.Allocate(c, Request{Scheme: "test", Addr: addr, Port: port, Event: evGot, Timeout: timeout})
		return err
	})
	return id
}

// pass lets time go by.
func (s *sim) pass(d time.Duration) {
	s.Helper()
	kerneltest.Advance(s, s.k, d)
}

// happened wants this, and nothing else, to have been asked of the network.
func (s *sim) happened(want ...string) {
	s.Helper()
	if !slices.Equal(s.net.asked, want) {
		s.Errorf("got  %q\nwant %q", s.net.asked, want)
	}
}

// reply is the only one since the last.
func (s *sim) reply() reply {
	s.Helper()
	if len(s.got) != 1 {
		s.Fatalf("%d replies: %+v", len(s.got), s.got)
	}
	r := s.got[0]
	s.got = nil
	return r
}

// connected is a reply with a connection, which goes back.
func (s *sim) connected() reply {
	s.Helper()
	r := s.reply()
	if r.Err != nil {
		s.Fatal(r.Err)
	}
	if err := r.Conn.Release(); err != nil {
		s.Fatal(err)
	}
	return r
}

// failed is a reply with an error.
func (s *sim) failed(function string) reply {
	s.Helper()
	r := s.reply()
	if r.Conn != nil || r.Function != function {
		s.Fatalf("got %+v, want a failed %s", r, function)
	}
	return r
}
