package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const testShards = 64

func tableOf(self string, others ...string) *shardTable {
	t := newShardTable(self, true, testShards, time.Second)
	t.tick(time.Unix(0, 0))
	for _, n := range others {
		t.reach(n, true, time.Unix(0, 0))
	}
	return t
}

func TestShardsSameViewSameNode(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var names []string
		for i := range 2 + r.IntN(8) {
			names = append(names, fmt.Sprintf("node-%d-%d", seed, i))
		}
		without := func(n string) []string {
			return slices.DeleteFunc(slices.Clone(names), func(o string) bool { return o == n })
		}
		first, last := tableOf(names[0], without(names[0])...), tableOf(names[len(names)-1], without(names[len(names)-1])...)
		watcher := newShardTable("watcher", false, testShards, time.Second)
		for _, n := range names {
			watcher.reach(n, true, time.Unix(0, 0))
		}
		gone := names[1+r.IntN(len(names)-1)]
		less := tableOf(names[0], slices.DeleteFunc(without(names[0]), func(o string) bool { return o == gone })...)
		count := map[string]int{}
		for i := range testShards {
			a, _ := first.preferred(i)
			b, _ := last.preferred(i)
			c, _ := watcher.preferred(i)
			if a != b || a != c {
				t.Fatalf("seed %d: shard %d: %s, %s and %s", seed, i, a, b, c)
			}
			count[a]++
			if d, _ := less.preferred(i); a != gone && d != a {
				t.Fatalf("seed %d: shard %d moved from %s to %s when %s went", seed, i, a, d, gone)
			}
		}
		for _, n := range names {
			if len(names) <= 4 && count[n] < testShards/len(names)/3 {
				t.Errorf("seed %d: %s has %d of %d shards among %d nodes", seed, n, count[n], testShards, len(names))
			}
		}
	}
}

// Tables, nodes that come and go, a directory and its news in any order: nothing is
// claimed before it settles, nothing released that runs, and no table believes that it
// owns what the directory has taken from it, or what it has given up.
func TestShardTableByChance(t *testing.T) {
	for seed := range uint64(100) {
		w := &shardWorld{Rand: rand.New(rand.NewPCG(seed, 2)), t: t, now: time.Unix(100, 0), owners: make([]Ownership, 8)}
		w.run()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type shardWorld struct {
	*rand.Rand
	t       *testing.T
	now     time.Time
	tables  []*shardTable
	begun   []time.Time
	claims  [8][3]bool
	busy    [3][8]bool // sessions run that a drain waits for
	owners  []Ownership
	news    [][]Ownership // for each table, not told yet
	reached [3][3]bool
}

func (w *shardWorld) run() {
	for i := range 3 {
		w.tables = append(w.tables, newShardTable(fmt.Sprint("n", i), true, 8, time.Second))
		w.begun = append(w.begun, time.Time{})
		w.news = append(w.news, nil)
	}
	for range 600 {
		w.step()
	}
	for i := range 3 { // all see all; it comes to rest
		for j := range 3 {
			w.reached[i][j] = true
			if i != j {
				w.tables[i].reach(fmt.Sprint("n", j), true, w.now)
			}
		}
	}
	w.busy = [3][8]bool{}
	for range 300 {
		w.now = w.now.Add(100 * time.Millisecond)
		for i, t := range w.tables {
			w.tick(i, t)
			w.tell(i, len(w.news[i]))
			for s := range 8 {
				w.perform(i, t.drained(s))
			}
		}
		w.grant()
	}
	for s := range 8 {
		want, _ := w.tables[0].preferred(s)
		for i, t := range w.tables {
			if t.route(s) != want || t.owns(s, w.now) != (t.self == want) || w.owners[s].Node != want {
				w.t.Errorf("shard %d is routed to %s by n%d; the directory has %+v, preferred is %s", s, t.route(s), i, w.owners[s], want)
			}
		}
	}
}

func (w *shardWorld) step() {
	w.now = w.now.Add(time.Duration(w.IntN(100)) * time.Millisecond)
	i := w.IntN(3)
	t := w.tables[i]
	switch w.IntN(8) {
	case 0:
		if j := w.IntN(3); j != i && w.IntN(4) == 0 {
			w.reached[i][j] = !w.reached[i][j]
			t.reach(fmt.Sprint("n", j), w.reached[i][j], w.now)
		}
	case 1, 2:
		w.tick(i, t)
	case 3, 4:
		w.tell(i, 1)
	case 5:
		w.grant()
	case 6:
		s := w.IntN(8)
		w.busy[i][s] = w.IntN(2) == 0
		if !w.busy[i][s] {
			w.perform(i, t.drained(s))
		}
	case 7: // the directory takes a shard away, and gives it to somebody who claims it
		if s := w.IntN(8); w.IntN(6) == 0 {
			w.change(s, "")
		}
	}
	for s := range 8 {
		for i, t := range w.tables {
			if t.owns(s, w.now) && !w.told(i, s) && w.owners[s].Node != t.self {
				w.t.Errorf("n%d acts for shard %d, which %q has", i, s, w.owners[s].Node)
			}
		}
	}
}

// told reports whether news of a shard are still under way to a table.
func (w *shardWorld) told(i, s int) bool {
	return slices.ContainsFunc(w.news[i], func(o Ownership) bool { return o.Shard == s })
}

func (w *shardWorld) tick(i int, t *shardTable) {
	if w.begun[i].IsZero() {
		w.begun[i] = w.now
	}
	actions := t.tick(w.now)
	if len(actions) > 0 && w.now.Sub(w.begun[i]) < time.Second {
		w.t.Errorf("n%d does %v before it has settled", i, actions)
	}
	w.perform(i, actions)
}

func (w *shardWorld) perform(i int, actions []shardAction) {
	for _, a := range actions {
		switch a.do {
		case deedClaim:
			w.claims[a.shard][i] = true
		case deedDrain:
			if w.tables[i].owns(a.shard, w.now) {
				w.t.Errorf("n%d goes on with shard %d while it drains", i, a.shard)
			}
			if !w.busy[i][a.shard] {
				w.perform(i, w.tables[i].drained(a.shard))
			}
		case deedRelease:
			w.claims[a.shard][i] = false
			if w.owners[a.shard].Node == w.tables[i].self {
				w.change(a.shard, "")
			}
			if w.tables[i].owns(a.shard, w.now) {
				w.t.Errorf("n%d owns shard %d, which it has released", i, a.shard)
			}
		}
	}
}

// change is the directory's: all tables will hear of it, some more than once.
func (w *shardWorld) change(s int, node string) {
	o := &w.owners[s]
	if o.Node == node {
		return
	}
	if o.Node = node; node != "" {
		o.Epoch++
	}
	o.Shard, o.Deadline = s, w.now.Add(time.Hour)
	for i := range w.news {
		for range 1 + w.IntN(2) {
			w.news[i] = append(w.news[i], *o)
		}
	}
}

func (w *shardWorld) grant() {
	for s := range 8 {
		if w.owners[s].Node != "" {
			continue
		}
		for i := range 3 {
			if w.claims[s][i] {
				w.change(s, w.tables[i].self)
				break
			}
		}
	}
}

// tell brings news to a table, not always in order.
func (w *shardWorld) tell(i, n int) {
	for range n {
		if len(w.news[i]) == 0 {
			return
		}
		j := w.IntN(min(2, len(w.news[i])))
		o := w.news[i][j]
		w.news[i] = slices.Delete(w.news[i], j, j+1)
		before := w.tables[i].list[o.Shard].Epoch
		if _, ended := w.tables[i].owner(o); ended && w.tables[i].owns(o.Shard, w.now) && w.tables[i].list[o.Shard].Epoch == before {
			w.t.Errorf("n%d owns shard %d in the epoch that has ended", i, o.Shard)
		}
	}
}

func TestShardNewsThatComeLate(t *testing.T) {
	at := time.Unix(100, 0)
	until := func(s int) time.Time { return at.Add(time.Duration(s) * time.Second) }
	a := tableOf("a")
	take := func(o Ownership, taken, ended bool) {
		t.Helper()
		if gotTaken, gotEnded := a.owner(o); gotTaken != taken || gotEnded != ended {
			t.Errorf("%+v: taken %v, ended %v", o, gotTaken, gotEnded)
		}
	}
	take(Ownership{0, "a", 1, until(5)}, false, false) // not claimed
	if got := a.tick(at); len(got) != testShards {
		t.Fatalf("%d claims", len(got))
	}
	take(Ownership{0, "a", 1, until(5)}, true, false)
	take(Ownership{0, "a", 1, until(9)}, true, false)
	take(Ownership{0, "a", 1, until(7)}, false, false)
	if !a.owns(0, until(8)) || a.owns(0, until(9)) {
		t.Error("the deadline is not that of the last renewal")
	}
	take(Ownership{0, "b", 2, time.Time{}}, true, true)
	take(Ownership{0, "a", 1, until(20)}, false, false)
	take(Ownership{0, "a", 3, until(20)}, true, false)
	take(Ownership{0, "a", 4, until(20)}, true, true)
	take(Ownership{0, "", 4, time.Time{}}, true, true)
	take(Ownership{0, "a", 4, until(30)}, false, false)
	take(Ownership{0, "a", 5, until(30)}, true, false)
	if got := a.leave(); !slices.Contains(got, shardAction{0, deedDrain}) || !slices.Contains(got, shardAction{1, deedRelease}) {
		t.Errorf("leaving: %v", got)
	}
	if a.owns(0, at) {
		t.Error("owned while it drains")
	}
	if got := a.drained(0); !slices.Equal(got, []shardAction{{0, deedRelease}}) {
		t.Errorf("drained: %v", got)
	}
	take(Ownership{0, "a", 5, until(40)}, false, false) // a renewal that was under way
	if len(a.owned()) != 0 || a.drained(0) != nil {
		t.Error("it still owns something")
	}
}
