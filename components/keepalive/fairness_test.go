package keepalive

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestA61_FairBetweenKeys: some keys that are always hungry share a pool that
// is too small for them. While one waits and is below its own limit, every other
// is served at most once before it is (III.9). So a request with p others before
// it under its key is served among the next (p+1)·k services, where k is the
// number of keys, and if no key is at its limit, in (p+1)·k/MaxOpen times the
// longest service.
func TestA61_FairBetweenKeys(t *testing.T) {
	services := 0
	for seed := range uint64(400) {
		f := newFeast(seed)
		for range 300 {
			if wrong := f.step(); wrong != "" {
				t.Fatalf("seed %d, %d keys, MaxOpen %d, MaxPerHost %d: %s", seed, len(f.eaters), f.table.cfg.MaxOpen, f.table.cfg.MaxPerHost, wrong)
			}
		}
		f.trusted = false
		if wrong := violations(f.world); len(wrong) > 0 {
			t.Fatalf("seed %d: %v", seed, wrong)
		}
		for _, e := range f.eaters {
			if e.served == 0 {
				t.Errorf("seed %d: %v was never served", seed, e.key)
			}
			services += e.served
		}
	}
	if services < 400*100 {
		t.Errorf("only %d services; the pool is not driven", services)
	}
}

// longest is how long a connection is kept from others by one request, opening
// included.
const longest = time.Second

// feast is a pool of hungry keys under a clock that jumps to the next event.
type feast struct {
	*world
	random *rand.Rand
	eaters []*eater
	coming []coming
	limits bool // MaxPerHost may hold somebody up
}

// coming is what will be sent at its time.
type coming struct {
	at time.Time
	message
}

type eater struct {
	key    Key
	table  []*diner // first come first
	served int
	others map[*eater]int // served while this one waited below its limit, since its last service
}

// diner is a waiting request.
type diner struct {
	since  time.Time
	before int // p
	counts int // services of any key, while its own was below its limit
}

func newFeast(seed uint64) *feast {
	random := rand.New(rand.NewPCG(seed, 0))
	open := 1 + random.IntN(6)
	keys := open + 1 + random.IntN(6) // more than there is room for
	cfg := Config{MaxOpen: open, MaxPerHost: 1 + random.IntN(open), Timeout: NoLimit, KeepAlive: NoLimit, MaxLifetime: NoLimit}
	f := &feast{world: newWorld(cfg), random: random, limits: cfg.MaxPerHost < open}
	f.trusted = true
	for i := range keys {
		f.eaters = append(f.eaters, &eater{key: key(fmt.Sprint("k", i)), others: map[*eater]int{}})
	}
	for _, i := range random.Perm(keys) {
		for range 1 + random.IntN(4) {
			f.hunger(f.eaters[i])
		}
	}
	return f
}

// hunger has one more request of e come now.
func (f *feast) hunger(e *eater) { f.soon(0, allocate{key: e.key}) }

func (f *feast) soon(most time.Duration, m message) {
	after := time.Duration(0)
	if most > 0 {
		after = time.Duration(f.random.Int64N(int64(most)) + 1)
	}
	f.coming = append(f.coming, coming{f.now.Add(after), m})
}

// step lets the next thing happen and returns what is unfair about it.
func (f *feast) step() string {
	next := 0
	for i, c := range f.coming {
		if c.at.Before(f.coming[next].at) {
			next = i
		}
	}
	c := f.coming[next]
	f.coming = slices.Delete(f.coming, next, next+1)
	f.now = c.at
	m := c.message
	if a, ok := m.(allocate); ok {
		a.req = RequestID(f.allocated + 1)
		m = a
		e := f.eater(a.key)
		e.table = append(e.table, &diner{since: f.now, before: len(e.table)})
	}
	actions, err := f.send(m)
	if err != nil {
		return err.Error()
	}
	var served []*eater
	for _, a := range actions {
		switch a := a.(type) {
		case dial:
			served = append(served, f.eater(a.key))
			if f.random.IntN(5) == 0 {
				f.soon(longest, dialFailed{a.conn, "connect", errRefused})
			} else {
				f.soon(longest/2, dialed{a.conn})
			}
		case answer:
			if a.err != nil {
				continue
			}
			if a.from != Fresh {
				served = append(served, f.eater(f.keys[a.conn]))
			}
			f.soon(longest/2, release{a.conn, []condition{closed, clean, clean}[f.random.IntN(3)]})
		}
	}
	return f.judge(served)
}

func (f *feast) judge(served []*eater) string {
	for _, e := range f.eaters {
		eats := slices.Contains(served, e)
		if !eats && (len(e.table) == 0 || f.table.full(f.table.hosts[e.key])) {
			clear(e.others)
			continue
		}
		for _, d := range e.table {
			d.counts += len(served)
		}
		for _, other := range served {
			if e.others[other]++; !eats && e.others[other] > 1 {
				return fmt.Sprintf("%v was served %d times while %v waited and might have been", other.key, e.others[other], e.key)
			}
		}
	}
	for _, e := range served {
		d := e.table[0]
		e.table = e.table[1:]
		e.served++
		clear(e.others)
		f.hunger(e)
		turns := (d.before + 1) * len(f.eaters)
		if d.counts > turns {
			return fmt.Sprintf("a request of %v with %d before it was served as number %d; want at most %d", e.key, d.before, d.counts, turns)
		}
		rounds := (turns + f.table.cfg.MaxOpen - 1) / f.table.cfg.MaxOpen
		if waited := f.now.Sub(d.since); !f.limits && waited > time.Duration(rounds)*longest {
			return fmt.Sprintf("a request of %v with %d before it waited %v; want at most %d rounds", e.key, d.before, waited, rounds)
		}
	}
	return ""
}

func (f *feast) eater(k Key) *eater {
	i := slices.IndexFunc(f.eaters, func(e *eater) bool { return e.key == k })
	return f.eaters[i]
}
