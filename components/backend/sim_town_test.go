package backend

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// town is a world in which clients do what they like, and connections break.
type town struct {
	*world
	rng      *rand.Rand
	witness  []*wheeltest.Conn // both ends of a connection that is left alone
	requests map[int]int       // answers by request
	asked    int
	txs      map[string]*townTx
	nextItem int
}

// townTx is a transaction as its client knows it.
type townTx struct {
	tx    *Tx
	items []int
	end   string // "", "committed", "not", "unknown"
}

var townConfig = Config{
	IdlePing: 300 * time.Millisecond, PingWait: 200 * time.Millisecond, ConnectTimeout: 300 * time.Millisecond,
	Timeout: 2 * time.Second, MinBackoff: 20 * time.Millisecond, MaxBackoff: 400 * time.Millisecond, MaxQueued: 20,
}

const townClients = 4

func newTown(t *testing.T, seed uint64) *town {
	w := &town{
		world: newWorld(t, seed, ServerConfig{MaxTx: 3, MaxTxMessages: 5, TxTimeout: time.Second, MaxConns: townClients + 10}),
		rng:   rand.New(rand.NewPCG(seed, 2)), requests: map[int]int{}, txs: map[string]*townTx{},
	}
	w.client("ears", Config{PingTimeout: -1, IdlePing: -1})
	w.pass(100 * time.Millisecond)
	w.witness = w.net.Conns()
	for i := range townClients {
		cfg := townConfig
		cfg.PingTimeout = []time.Duration{-1, 0, 100 * time.Millisecond}[i%3]
		cfg.Overflow = Overflow(i % 2)
		if i%4 == 3 {
			cfg.Serializer = JSON
		}
		w.client(fmt.Sprint("c", i), cfg)
	}
	return w
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *town) clients() []*Conn { return w.conns[1:] }

// act has a client do something.
func (w *town) act() {
	c := w.clients()[w.rng.IntN(townClients)]
	switch w.rng.IntN(10) {
	case 0, 1, 2:
		w.request(c)
	case 3:
		w.nextItem++
		_ = c.Send(Message{Name: "news", To: "ears", Args: []any{w.nextItem}})
	case 4, 5, 6, 7:
		w.transaction(c)
	case 8:
		w.endOne()
	case 9:
		w.fault()
	}
	if s := w.state(c); s.Waiting > townConfig.MaxQueued {
		w.Errorf("%d messages wait", s.Waiting)
	}
}

func (w *town) request(c *Conn) {
	n := w.asked
	w.do(func(kc *kernel.Context) error {
		o, err := c.outgoing(Message{Name: []string{"double", "hush"}[n%2], Args: []any{n}}, func(r Reply) {
			if r.Err == nil && fmt.Sprint(r.Args[0]) != fmt.Sprint(2*n) {
				w.Errorf("double %d is %v", n, r.Args)
			}
			w.requests[n]++
		})
		if err != nil {
			return err
		}
		if _, err := evSubmit.Call(kc, c.self, o); err == nil {
			w.asked++
		} else if !errors.Is(err, ErrFull) {
			w.Errorf("request: %v", err)
		}
		return nil
	})
}

// transaction begins one, fills one, or ends one of this client's.
func (w *town) transaction(c *Conn) {
	for _, b := range w.begun {
		if b.Err == nil {
			w.txs[b.Tx.ID()] = &townTx{tx: b.Tx}
		}
	}
	w.begun = nil
	for _, id := range sortedKeys(w.txs) {
		x := w.txs[id]
		if x.tx.conn != c || x.end != "" {
			continue
		}
		if len(x.items) < 3 {
			w.nextItem++
			if x.tx.Send(item(w.nextItem)) == nil {
				x.items = append(x.items, w.nextItem)
				continue
			}
		}
		w.end1(x, w.rng.IntN(4) > 0)
	}
	w.do(func(kc *kernel.Context) error { _ = c.AskBegin(kc, evBegun); return nil }) // it may be full
}

func (w *town) endOne() {
	for _, id := range sortedKeys(w.txs) {
		if x := w.txs[id]; x.end == "" {
			w.end1(x, true)
			return
		}
	}
}

func (w *town) end1(x *townTx, commit bool) {
	w.do(func(kc *kernel.Context) error {
		err := error(nil)
		if commit {
			err = x.tx.AskCommit(kc, evEnded)
		} else {
			err = x.tx.AskRollback(kc, evEnded)
		}
		x.end = "asked"
		if err != nil {
			x.end = "not"
		}
		return nil
	})
}

// fault breaks something, never the witness's connection.
func (w *town) fault() {
	open := w.breakable()
	if len(open) == 0 {
		return
	}
	c := open[w.rng.IntN(len(open))]
	switch w.rng.IntN(6) {
	case 0, 1:
		c.Reset()
	case 2:
		c.Lose()
	case 3:
		c.Stall(time.Duration(w.rng.IntN(500)) * time.Millisecond)
	case 4:
		w.net.FailDial(fmt.Sprintf("127.0.0.1:%d", simPort), syscall.ECONNREFUSED)
	case 5:
		w.net.scripts = append(w.net.scripts, []wheeltest.Fault{wheeltest.ResetAfter(w.rng.IntN(600)), wheeltest.ShortReads(1 + w.rng.IntN(50)), wheeltest.ShortWrites(1 + w.rng.IntN(50))})
	}
}

func (w *town) breakable() (open []*wheeltest.Conn) {
	for _, c := range w.net.Conns() {
		if c != w.witness[0] && c != w.witness[1] {
			open = append(open, c)
		}
	}
	return open
}

// TestTown: whatever breaks, each request is answered once, no transaction is
// half committed, nothing is delivered twice, and when nothing breaks any more
// every client is ready within what its Config allows.
func TestTown(t *testing.T) {
	seeds, ends := 200, map[string]int{}
	if testing.Short() || raceEnabled {
		seeds = 10
	}
	kerneltest.Seeds(t, seeds, func(t *testing.T, seed uint64) {
		w := newTown(t, seed)
		for range 150 {
			w.act()
			w.pass(time.Duration(w.rng.IntN(40)) * time.Millisecond)
		}
		w.net.scripts = nil
		for _, c := range w.breakable() {
			c.Reset() // one with a script may have its fault still to come
		}
		// The fault that came last is found by a ping; then there is one attempt
		// after the longest wait, whose dial may still be told to fail a few times.
		const bound = 300*time.Millisecond + 200*time.Millisecond + 3*(480*time.Millisecond+2*300*time.Millisecond)
		w.pass(bound)
		for _, c := range w.clients() {
			w.is(c, Ready, Suspect)
		}
		for range 5 {
			w.endOne()
		}
		w.pass(5 * time.Second) // longer than Timeout
		w.settled()
		for _, x := range w.txs {
			ends[x.end]++
		}
		w.end()
	})
	if seeds == 200 && (ends["committed"] < 500 || ends["not"] < 500 || ends["unknown"] < 10) {
		t.Errorf("transactions ended as %v; want enough of each", ends)
	}
}

// settled looks at what has come of everything.
func (w *town) settled() {
	for n := range w.asked {
		if w.requests[n] != 1 {
			w.Errorf("request %d was answered %d times", n, w.requests[n])
		}
	}
	times := map[string]int{}
	for _, n := range w.news {
		if times[n]++; times[n] > 1 {
			w.Errorf("%s twice", n)
		}
	}
	for _, e := range w.ended {
		x := w.txs[e.Tx.ID()]
		switch {
		case e.Err == nil && len(e.Tx.Receivers()) == len(x.items) && e.Tx.state == txCommitted:
			x.end = "committed"
		case errors.Is(e.Err, ErrUnknownOutcome):
			x.end = "unknown"
		default:
			x.end = "not"
		}
	}
	all := strings.Join(w.news, ",") + ","
	for id, x := range w.txs {
		heard, want := 0, ""
		for _, i := range x.items {
			heard += times[fmt.Sprintf("ears [%d]", i)]
			want += fmt.Sprintf("ears [%d],", i)
		}
		switch {
		case heard != 0 && heard != len(x.items):
			w.Errorf("%s: %d of %d were delivered", id, heard, len(x.items))
		case heard != 0 && !strings.Contains(all, want):
			w.Errorf("%s: not together or not in order", id)
		case x.end == "committed" && heard != len(x.items), x.end == "not" && heard != 0, x.end == "asked":
			w.Errorf("%s: %s, and %d of %d were delivered", id, x.end, heard, len(x.items))
		}
	}
}
