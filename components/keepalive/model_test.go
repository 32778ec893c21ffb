package keepalive

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestModel_EveryInterleaving walks, breadth first, through all that can
// happen to a few requests under two keys, and checks violations after each
// message.
func TestModel_EveryInterleaving(t *testing.T) {
	for _, m := range []model{
		{requests: 4, perHost: 1, open: 1},
		{requests: 4, perHost: 1, open: 2},
		{requests: 4, perHost: 2, open: 2},
		{requests: 4, perHost: 2, open: 3},
		{requests: 3, perHost: NoLimit, open: NoLimit},
	} {
		t.Run(fmt.Sprintf("%+v", m), m.walk)
	}
}

type model struct {
	requests, perHost, open int
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
				if s := state(m.replay(t, longer)); !seen[s] {
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

// replay walks a path from the start, which needs no copies of tables.
func (m model) replay(t *testing.T, path []message) *world {
	w := newWorld(Config{MaxPerHost: m.perHost, MaxOpen: m.open})
	for i, msg := range path {
		if _, err := w.send(msg); err != nil {
			t.Fatalf("%v\nafter %s", err, showPath(path[:i+1]))
		}
	}
	return w
}

// possible lists all that users, sockets and clock could do next.
func (m model) possible(w *world) []message {
	var list []message
	if n := w.allocated; n < m.requests && !w.shut {
		for _, k := range modelKeys {
			list = append(list, allocate{req: RequestID(n + 1), key: k})
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
	}
	for _, c := range sorted(w.watched) {
		list = append(list, readable{c})
	}
	for _, id := range sorted(w.timers) {
		list = append(list, timeUp{id})
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
	stale := func(msg message, want error) {
		actions, err := w.send(msg)
		if len(actions) > 0 || !errors.Is(err, want) || state(w) != before {
			t.Fatalf("%s in state %s: actions %s, error %v, then %s\nafter %s", show(msg), before, showAll(actions), err, state(w), showPath(path))
		}
	}
	for id := timerID(1); id <= w.table.lastTimer; id++ {
		if _, running := w.timers[id]; !running {
			stale(timeUp{id}, nil)
		}
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
	m := model{requests: 150, perHost: 3, open: 5}
	for seed := range uint64(8) {
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
		if got := w.table.stats().Load; got != (Load{}) || len(w.table.hosts) > 0 {
			t.Errorf("seed %d: after shutdown and the last release %+v and %d hosts are left", seed, got, len(w.table.hosts))
		}
	}
}

// state describes all that the future depends on. Requests and connections
// appear without their IDs, by their places only, so that states which differ
// in names alone are one.
func state(w *world) string {
	t := w.table
	var b strings.Builder
	fmt.Fprintf(&b, "allocated %d shut %v", w.allocated, t.shut)
	for _, h := range t.turns {
		fmt.Fprintf(&b, " [%v waiting %d]", h.key, len(h.waiting))
	}
	for _, c := range t.idle {
		fmt.Fprintf(&b, " idle %v", c.host.key)
	}
	var rest []string
	for _, c := range t.conns {
		if c.state != idle {
			rest = append(rest, fmt.Sprintf(" conn %v %d owned %v settled %v", c.host.key, c.state, c.owner != nil, c.reply == 0))
		}
	}
	slices.Sort(rest)
	b.WriteString(strings.Join(rest, ""))
	return b.String()
}

func showPath(path []message) string {
	var s []string
	for _, m := range path {
		s = append(s, show(m))
	}
	return strings.Join(s, "\n      ")
}
