package backend

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// The test's session takes these.
const (
	evRun     kernel.Event[func(*kernel.Context) error] = "run"
	evReplied kernel.Event[Reply]                       = "replied"
	evBegun   kernel.Event[Begun]                       = "begun"
	evEnded   kernel.Event[Ended]                       = "ended"
	evAsked   kernel.Event[Asked]                       = "asked"
	evChanged kernel.Event[Change]                      = "changed"
	evServed  kernel.Event[ServerChange]                = "served"
)

const simPort = 2021

// cutter is a network that gives the next connections faults, one script each.
type cutter struct {
	*wheeltest.Network
	scripts [][]wheeltest.Fault
	dials   int
	hole    bool // attempts lead to nothing from now on
}

func (n *cutter) DialAsync(ctx context.Context, network, address string, done func(net.Conn, error)) func() {
	n.dials++
	if n.hole {
		return func() {}
	}
	if len(n.scripts) == 0 {
		return n.Network.DialAsync(ctx, network, address, done)
	}
	script := n.scripts[0]
	n.scripts = n.scripts[1:]
	return n.Network.DialAsync(ctx, network, address, func(c net.Conn, err error) {
		if err == nil {
			c = wheeltest.Faulty(c, script...)
		}
		done(c, err)
	})
}

// world is a server, clients, and a session that uses them, under virtual time
// over a network in memory.
type world struct {
	*testing.T
	k      *kernel.Kernel
	net    *cutter
	server *Server
	lease  *kernel.Lease
	serves *kernel.Lease
	conns  []*Conn

	replies []Reply
	begun   []Begun
	ended   []Ended
	asked   []Asked
	changes []string
	served  []string
	news    []string // what was delivered, with its receiver

	onReply func(*kernel.Context, Reply)
}

func simulating(t *testing.T, cfg ServerConfig, f func(w *world)) {
	t.Helper()
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed, cfg)
		f(w)
		w.end()
	})
}

func newWorld(t *testing.T, seed uint64, cfg ServerConfig) *world {
	link := wheeltest.Link{Delay: 5 * time.Millisecond, Jitter: time.Millisecond}
	w := &world{T: t, net: &cutter{Network: wheeltest.New(wheeltest.Config{Seed: seed, Link: link})}}
	w.k = kerneltest.New(t, kerneltest.Seed(seed), kerneltest.AllowReported(), kerneltest.AllowDropped(), kerneltest.Config(kernel.Config{Network: w.net}))
	var err error
	if w.lease, err = w.k.SpawnHeld(session.New(
		session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
		session.On(evReplied, func(c *kernel.Context, r Reply) error {
			w.replies = append(w.replies, r)
			if w.onReply != nil {
				w.onReply(c, r)
			}
			return nil
		}),
		session.On(evBegun, func(_ *kernel.Context, b Begun) error { w.begun = append(w.begun, b); return nil }),
		session.On(evEnded, func(_ *kernel.Context, e Ended) error { w.ended = append(w.ended, e); return nil }),
		session.On(evAsked, func(_ *kernel.Context, a Asked) error { w.asked = append(w.asked, a); return nil }),
		session.On(evChanged, func(_ *kernel.Context, ch Change) error {
			w.changes = append(w.changes, fmt.Sprintf("%s→%s", ch.From, ch.To))
			return nil
		}),
		session.On(evServed, func(_ *kernel.Context, ch ServerChange) error {
			w.served = append(w.served, fmt.Sprintf("%s %s", ch.What, ch.Conn.Name))
			return nil
		}),
	)); err != nil {
		t.Fatal(err)
	}
	if w.serves, err = w.k.SpawnHeld(doubling()); err != nil {
		t.Fatal(err)
	}
	w.serve(cfg)
	return w
}

// serve starts a server in place of one that has gone.
func (w *world) serve(cfg ServerConfig) {
	w.Helper()
	cfg.Listen = fmt.Sprintf("127.0.0.1:%d", simPort)
	cfg.Commands = map[string]kernel.Address{"double": w.serves.Address(), "fail": w.serves.Address(), "hush": w.serves.Address()}
	var err error
	if w.server, err = NewServer(w.k, cfg); err != nil {
		w.Fatal(err)
	}
}

// client opens a connection of that name, which gets the news.
func (w *world) client(name string, cfg Config) *Conn {
	w.Helper()
	at, err := w.k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.AliasSet("ears of " + name) }),
		session.On(news, func(_ *kernel.Context, m Message) error {
			w.news = append(w.news, fmt.Sprintf("%s %v", name, m.Args))
			return nil
		}),
		session.Handle("quit", func(c *kernel.Context) error { return c.AliasRemove("ears of " + name) }),
	))
	if err != nil {
		w.Fatal(err)
	}
	cfg.Port, cfg.Alias, cfg.Name, cfg.Deliver, cfg.Events = simPort, name, name, at, []kernel.Event[Message]{news}
	c, err := Open(w.k, cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.conns = append(w.conns, c)
	return c
}

// do runs f in a handler of the test's session.
func (w *world) do(f func(*kernel.Context) error) {
	w.Helper()
	if _, err := w.k.Call(background, w.lease.Address(), evRun.Name(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) pass(d time.Duration) { kerneltest.Advance(w, w.k, d) }

func (w *world) state(c *Conn) ConnState {
	s, err := c.State()
	if err != nil {
		s.State = Closed
	}
	return s
}

// is wants a connection to be in one of these states.
func (w *world) is(c *Conn, want ...State) {
	w.Helper()
	if s := w.state(c); !slices.Contains(want, s.State) {
		w.Errorf("%s is %s (%v), want %v", c.Alias(), s.State, s.Err, want)
	}
}

// reply is the only one since the last.
func (w *world) reply() Reply {
	w.Helper()
	return only(w, &w.replies)
}

func only[T any](w *world, list *[]T) (v T) {
	w.Helper()
	if len(*list) != 1 {
		w.Fatalf("%d of %T: %+v", len(*list), v, *list)
	}
	v = (*list)[0]
	*list = nil
	return v
}

// begin begins a transaction and waits for it.
func (w *world) begin(c *Conn) *Tx {
	w.Helper()
	w.do(func(kc *kernel.Context) error { return c.AskBegin(kc, evBegun) })
	w.pass(100 * time.Millisecond)
	b := only(w, &w.begun)
	if b.Err != nil {
		w.Fatal(b.Err)
	}
	return b.Tx
}

func (w *world) commit(tx *Tx) error {
	w.Helper()
	w.do(func(kc *kernel.Context) error { return tx.AskCommit(kc, evEnded) })
	w.pass(100 * time.Millisecond)
	return only(w, &w.ended).Err
}

// end closes everything, and looks for what is left.
func (w *world) end() {
	w.Helper()
	for _, c := range w.conns {
		c.Close()
		if _, there := w.k.Resolve(kernel.Address("ears of " + c.Alias())); there {
			if err := w.k.Post(kernel.Address("ears of "+c.Alias()), "quit"); err != nil {
				w.Error(err)
			}
		}
	}
	w.server.Shutdown()
	w.lease.Release()
	w.serves.Release()
	kerneltest.Run(w, w.k)
	w.pass(time.Minute) // for what is on its way still
	w.net.Check(w)
	if all := All(w.k); len(all) != 0 {
		w.Errorf("%d connections are remembered", len(all))
	}
}

var pingFrame = filter.Frame{Name: cmdPing, Args: []any{1}, ID: 1}
