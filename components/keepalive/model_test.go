package keepalive

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestModel_EveryInterleaving walks, breadth first, through all that can
// happen to a few requests under two keys, and checks violations after each
// message: the requests' and connections' ends, their time's too, in all models;
// the crowd, the time in the queue, lifetimes and the circuit, with reports and
// cooldowns, each in models of their own, and some of them together in small ones.
func TestModel_EveryInterleaving(t *testing.T) {
	for _, m := range []model{
		{requests: 4, perHost: 1, open: 1},
		{requests: 4, perHost: 1, open: 2},
		{requests: 4, perHost: 2, open: 2},
		{requests: 4, perHost: 2, open: 3},
		{requests: 3, perHost: NoLimit, open: NoLimit},
		{requests: 4, perHost: 1, open: 2, fresh: true},
		{requests: 3, perHost: 2, open: 2, fresh: true},
		{requests: 4, perHost: 1, open: 1, waiting: 1},
		{requests: 4, perHost: 1, open: 2, life: time.Hour},
		{requests: 3, perHost: 2, open: 3, life: time.Hour},
		{requests: 4, perHost: 1, open: 1, breaker: Breaker{Failures: 1, MaxCooldown: 2 * time.Second}},
		{requests: 3, perHost: 1, open: 2, breaker: Breaker{Failures: 1, MaxCooldown: 2 * time.Second}},
		{requests: 3, perHost: 2, open: 2, breaker: Breaker{Failures: 2, MaxCooldown: time.Second}},
		{requests: 3, perHost: 1, open: 1, breaker: Breaker{Ratio: 0.5, Window: 2, MaxCooldown: time.Second}},
		{requests: 3, perHost: 1, open: 1, waiting: 1, life: time.Hour, breaker: Breaker{Failures: 1, MaxCooldown: 2 * time.Second}},
		{requests: 4, perHost: 1, open: 1, wait: time.Second},
		{requests: 3, perHost: 1, open: 1, wait: time.Second, breaker: Breaker{Failures: 1, MaxCooldown: 2 * time.Second}},
	} {
		t.Run(m.String(), m.walk)
	}
}

type model struct {
	requests, perHost, open int

	waiting int           // Config.MaxWaiting
	wait    time.Duration // Config.WaitTimeout
	life    time.Duration // Config.MaxLifetime, 0 for none
	breaker Breaker
	fresh   bool // requests may ask for a connection of their own
}

func (m model) String() string {
	return fmt.Sprintf("%d requests limits %d %d waiting %d %v life %v breaker %d %v fresh %v", m.requests, m.perHost, m.open, m.waiting, m.wait, m.life, m.breaker.Failures, m.breaker.Ratio, m.fresh)
}

func (m model) config() Config {
	return Config{MaxPerHost: m.perHost, MaxOpen: m.open, MaxWaiting: m.waiting, WaitTimeout: m.wait, MaxLifetime: cmp.Or(m.life, NoLimit), Breaker: m.breaker}
}

var modelKeys = []Key{
	{Scheme: "http", Addr: "a", Port: 1},
	{Scheme: "http", Addr: "a", Port: 2},
}

func (m model) walk(t *testing.T) {
	seen := map[string]bool{}
	level := [][]message{nil}
	steps, deepest := 0, 0
	for ; len(level) > 0; deepest++ {
		var next [][]message
		for _, path := range level {
			w := m.replay(t, path)
			m.ignoresTheStale(t, w, path)
			for _, msg := range m.possible(w) {
				steps++
				longer := append(slices.Clone(path), msg)
				w := m.replay(t, path)
				m.send(t, w, longer)
				m.isShortFor(t, w, path, msg)
				if s := state(w); !seen[s] {
					seen[s] = true
					next = append(next, longer)
				}
			}
		}
		level = next
	}
	t.Logf("%d states, %d messages, longest path %d", len(seen), steps, deepest-1)
	if len(seen) < 100 {
		t.Errorf("only %d states were found; the model is not driven", len(seen))
	}
}

// replay walks a path that was checked from the start, which needs no copies of
// tables.
func (m model) replay(t *testing.T, path []message) *world {
	w := newWorld(m.config())
	w.trusted = true
	for i := range path {
		m.send(t, w, path[:i+1])
	}
	w.trusted = false
	return w
}

// send sends the last message of path.
func (m model) send(t *testing.T, w *world, path []message) {
	if _, err := w.send(path[len(path)-1]); err != nil {
		t.Fatalf("%v\nafter %s", err, showPath(path))
	}
}

// possible lists all that users, sockets and clock could do next.
func (m model) possible(w *world) []message {
	var list []message
	if n := w.allocated; n < m.requests && !w.shut {
		for i, k := range modelKeys {
			if n > 0 || i == 0 { // neither key is special, so the first may be the first
				list = append(list, allocate{req: RequestID(n + 1), key: k})
				if m.fresh {
					list = append(list, allocate{req: RequestID(n + 1), key: k, fresh: true})
				}
				if full, _ := k.complete(); w.table.atHand(full) != nil {
					list = append(list, hit{RequestID(n + 1), full})
				}
			}
		}
	}
	for _, req := range sorted(w.pending) {
		list = append(list, cancel{req})
	}
	for _, req := range sorted(w.undelivered) {
		list = append(list, cancel{req}, delivered{req})
	}
	for _, c := range sorted(w.dialing) {
		list = append(list, dialed{c}, dialFailed{c, "connect", errors.New("refused")})
	}
	for _, c := range sorted(w.lent) {
		list = append(list, release{c, clean}, release{c, unread})
		if w.table.mayRest(w.table.conns[c]) {
			list = append(list, putBack{c})
		}
	}
	for _, c := range sorted(w.watched) {
		list = append(list, readable{c})
	}
	for _, id := range sorted(w.timers) {
		list = append(list, timeUp{id})
	}
	for _, id := range sorted(w.table.conns) {
		if c := w.table.conns[id]; !c.ends.IsZero() && !w.table.aged(c) {
			list = append(list, ages{id})
		}
	}
	for _, k := range modelKeys {
		k, _ = k.complete()
		h := w.table.hosts[k]
		if h == nil || !m.breaker.on() {
			continue
		}
		if b := h.breaker; b != nil && b.at(w.now) == CircuitOpen {
			list = append(list, cools{k})
		}
		for _, c := range sorted(w.lent) {
			if w.keys[c] == k {
				list = append(list, report{k, true}, report{k, false})
				break
			}
		}
	}
	if !w.shut {
		list = append(list, shutDown{})
	}
	return list
}

// sorted makes the walk the same each time.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// ignoresTheStale sends what may come too late in any state.
func (m model) ignoresTheStale(t *testing.T, w *world, path []message) {
	before := state(w)
	defer func() {
		if after := state(w); after != before {
			t.Fatalf("stale messages changed\n%s to\n%s\nafter %s", before, after, showPath(path))
		}
	}()
	stale := func(msg message, want error) {
		if actions, err := w.table.apply(msg); len(actions) > 0 || !errors.Is(err, want) {
			t.Fatalf("%s in state %s: actions %s, error %v\nafter %s", show(msg), before, showAll(actions), err, showPath(path))
		}
	}
	for id := timerID(1); id <= w.table.lastTimer; id++ {
		if _, running := w.timers[id]; !running {
			stale(timeUp{id}, nil)
		}
	}
	if w.shut || !m.breaker.on() {
		stale(report{key("a"), true}, nil)
	}
	notLent := ErrNotLent
	if w.shut {
		notLent = nil
		stale(shutDown{}, nil)
	}
	for id := connID(1); id <= w.table.lastConn; id++ {
		if !w.watched[id] {
			stale(readable{id}, nil)
		}
		if !w.lent[id] {
			stale(release{id, clean}, notLent)
		}
	}
	for id := RequestID(1); id <= RequestID(m.requests); id++ {
		if _, undelivered := w.undelivered[id]; !undelivered {
			stale(delivered{id}, nil)
			if !w.pending[id] {
				stale(cancel{id}, ErrNoRequest)
			}
		}
	}
}

// TestModel_LongWalks takes seeded random paths through larger pools, without
// the merging of states, and ends each with shutdown and the last releases.
func TestModel_LongWalks(t *testing.T) {
	for seed := range uint64(24) {
		m := []model{
			{requests: 150, perHost: 3, open: 5},
			{requests: 150, perHost: 3, open: 5, waiting: 4, wait: time.Second, life: time.Hour, breaker: Breaker{Failures: 3, MaxCooldown: 4 * time.Second}},
			{requests: 150, perHost: 2, open: 3, life: time.Hour, breaker: Breaker{Ratio: 0.5, Window: 6}},
		}[seed%3]
		random := rand.New(rand.NewPCG(seed, 0))
		var path []message
		w := m.replay(t, nil)
		step := func(msg message) {
			path = append(path, msg)
			if _, err := w.send(msg); err != nil {
				t.Fatalf("seed %d: %v\nafter %s", seed, err, showPath(path))
			}
		}
		for w.allocated < m.requests {
			list := m.possible(w)
			step(list[random.IntN(len(list)-1)]) // the last one is shutDown
		}
		step(shutDown{})
		for list := m.possible(w); len(list) > 0; list = m.possible(w) {
			step(list[random.IntN(len(list))])
		}
		if got := w.table.stats().Load; got != (Load{}) {
			t.Errorf("seed %d: after shutdown and the last release %+v is left", seed, got)
		}
	}
}

// state describes all that the future depends on. Requests and connections
// appear without their IDs, by their places only, so that states which differ
// in names alone are one.
func state(w *world) string {
	t := w.table
	b := fmt.Appendf(nil, "allocated %d shut %v", w.allocated, t.shut)
	of := func(what string, k Key) {
		b = append(append(append(b, what...), k.Addr...), ':')
		b = strconv.AppendInt(b, int64(k.Port), 10)
	}
	is := func(facts ...bool) {
		for _, yes := range facts {
			b = append(b, ' ', map[bool]byte{true: '+', false: '-'}[yes])
		}
	}
	for _, h := range t.turns {
		of(" waiting ", h.key)
		b = strconv.AppendInt(append(b, ' '), int64(len(h.waiting)), 10)
		for _, r := range h.waiting {
			is(r.fresh)
		}
	}
	for _, c := range t.idle {
		of(" idle ", c.host.key)
		is(t.aged(c))
	}
	var rest []string
	line := func(describe func()) {
		n := len(b)
		describe()
		rest = append(rest, string(b[n:]))
		b = b[:n]
	}
	for _, c := range t.conns {
		if c.state != idle {
			line(func() {
				of(" opening or lent ", c.host.key)
				is(c.state == lent, c.owner != nil, c.reply == 0, t.aged(c), c.owner != nil && c.host.breaker != nil && c.host.breaker.probe == c.owner)
			})
		}
	}
	for _, h := range t.hosts {
		if k := h.breaker; k != nil {
			line(func() {
				of(" circuit ", h.key)
				b = fmt.Append(b, k.at(w.now), k.rows, k.window, k.next, k.wait, k.probe != nil)
			})
		}
	}
	slices.Sort(rest)
	return string(b) + strings.Join(rest, "")
}

func showPath(path []message) string {
	var s []string
	for _, m := range path {
		s = append(s, show(m))
	}
	return strings.Join(s, "\n      ")
}
