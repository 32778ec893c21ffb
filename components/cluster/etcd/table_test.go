package etcd

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
)

var epochStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// owner is a shard's key as it was seen.
func owner(n int, node string, lease, epoch, rev int64) shardFact {
	return shardFact{shard: n, node: node, lease: lease, epoch: epoch, rev: rev}
}

func gone(n int, rev int64) shardFact { return shardFact{shard: n, epoch: rev, rev: rev} }

func self(rev int64) []nodeFact {
	return []nodeFact{{member: cluster.Member{Name: "a", Address: "a:1", Epoch: 5}, lease: 100, rev: rev}}
}

// openTable is registered since revision 5, under lease 100, in an empty etcd.
func openTable() *table {
	t := newTable(cluster.Member{Name: "a", Address: "a:1"})
	t.opened(100, epochStart, 5, news{whole: true, rev: 5, nodes: self(5)})
	return t
}

func owned(n int, node string, epoch uint64) tellOwner {
	o := tellOwner{Shard: n, Node: node, Epoch: epoch}
	if node == "a" {
		o.Deadline = epochStart
	}
	return o
}

func TestTable(t *testing.T) {
	claim := func(n int) action { return work{{shard: n}} }
	learn := func(f ...shardFact) func(*table) []action {
		return func(t *table) []action { return t.learn(news{shards: f}) }
	}
	answer := func(f ...shardFact) func(*table) []action {
		return func(t *table) []action { return t.answered(f) }
	}
	type step struct {
		do   func(*table) []action
		want []action
	}
	doClaim := func(t *table) []action { return t.claim(1) }
	doRelease := func(t *table) []action { return t.release(1) }
	doClose := func(t *table) []action { return t.closed() }
	doDue := func(t *table) []action { return t.due() }
	for name, steps := range map[string][]step{
		"claim": {
			{doClaim, []action{claim(1)}},
			{doClaim, nil},
			{answer(owner(1, "a", 100, 9, 9)), []action{owned(1, "a", 9)}},
			{learn(owner(1, "a", 100, 9, 9)), nil},
			{doClaim, nil},
		},
		"the watch is quicker than the answer": {
			{doClaim, []action{claim(1)}},
			{learn(owner(1, "a", 100, 9, 9)), []action{owned(1, "a", 9)}},
			{answer(owner(1, "a", 100, 9, 9)), nil},
		},
		"somebody has it, and goes": {
			{doClaim, []action{claim(1)}},
			{answer(owner(1, "b", 200, 7, 9)), []action{owned(1, "b", 7)}},
			{learn(owner(1, "b", 200, 7, 7)), nil},
			{doClaim, nil},
			{learn(gone(1, 11)), []action{owned(1, "", 11), tryLater{}}},
			{doDue, []action{claim(1)}},
			{doDue, nil},
		},
		"somebody else is quicker after all": {
			{learn(owner(1, "b", 200, 7, 7)), []action{owned(1, "b", 7)}},
			{doClaim, nil},
			{learn(gone(1, 11)), []action{owned(1, "", 11), tryLater{}}},
			{learn(owner(1, "c", 300, 12, 12)), []action{owned(1, "c", 12)}},
			{doDue, nil},
		},
		"an answer that is old when it comes": {
			{doClaim, []action{claim(1)}},
			{learn(owner(1, "b", 200, 7, 7)), []action{owned(1, "b", 7)}},
			{learn(gone(1, 11)), []action{owned(1, "", 11)}},
			{answer(owner(1, "b", 200, 7, 9)), []action{tryLater{}}},
			{doDue, []action{claim(1)}},
		},
		"release": {
			{doClaim, []action{claim(1)}},
			{answer(owner(1, "a", 100, 9, 9)), []action{owned(1, "a", 9)}},
			{doRelease, []action{work{{shard: 1, release: 9}}}},
			{func(t *table) []action { return t.renewed(epochStart.Add(1)) }, nil},
			{answer(gone(1, 10)), []action{owned(1, "", 10)}},
			{doRelease, nil},
		},
		"release before the answer": {
			{doClaim, []action{claim(1)}},
			{doRelease, nil},
			{answer(owner(1, "a", 100, 9, 9)), []action{work{{shard: 1, release: 9}}}},
			{answer(gone(1, 10)), nil},
		},
		"released and claimed again before the answer": {
			{doClaim, []action{claim(1)}},
			{learn(owner(1, "a", 100, 9, 9)), []action{owned(1, "a", 9)}},
			{doRelease, nil},
			{doClaim, nil},
			{answer(owner(1, "a", 100, 9, 9)), []action{work{{shard: 1, release: 9}}}},
			{answer(gone(1, 10)), []action{owned(1, "", 10), tryLater{}}},
			{doDue, []action{claim(1)}},
		},
		"claimed again while it is released": {
			{doClaim, []action{claim(1)}},
			{answer(owner(1, "a", 100, 9, 9)), []action{owned(1, "a", 9)}},
			{doRelease, []action{work{{shard: 1, release: 9}}}},
			{doClaim, nil},
			{answer(gone(1, 10)), []action{owned(1, "", 10), tryLater{}}},
			{doDue, []action{claim(1)}},
			{answer(owner(1, "a", 100, 12, 12)), []action{owned(1, "a", 12)}},
		},
		"the lease is lost": {
			{doClaim, []action{claim(1)}},
			{answer(owner(1, "a", 100, 9, 9)), []action{owned(1, "a", 9)}},
			{doClose, []action{owned(1, "", 10)}},
			{doClaim, nil},
			{func(t *table) []action {
				return t.opened(101, epochStart, 5, news{whole: true, rev: 20, nodes: []nodeFact{{lease: 101, rev: 20, member: cluster.Member{Name: "a"}}}})
			}, []action{claim(1)}},
		},
		"the lease is lost before the answer": {
			{doClaim, []action{claim(1)}},
			{doClose, nil},
			{func(t *table) []action {
				return t.opened(101, epochStart, 5, news{whole: true, rev: 20, shards: []shardFact{owner(1, "b", 200, 15, 20)},
					nodes: []nodeFact{{lease: 101, rev: 20, member: cluster.Member{Name: "a"}}}})
			}, []action{owned(1, "b", 15)}},
		},
		"the node's key is gone": {
			{func(t *table) []action {
				return t.learn(news{nodes: []nodeFact{{member: cluster.Member{Name: "a"}, gone: true, rev: 9}}})
			}, []action{giveUp{errTaken}}},
		},
		"a whole that lacks what was known": {
			{learn(owner(1, "b", 200, 7, 7)), []action{owned(1, "b", 7)}},
			{func(t *table) []action { return t.learn(news{whole: true, rev: 30, nodes: self(30)}) }, []action{owned(1, "", 30)}},
		},
		"a whole that is older than an answer": {
			{doClaim, []action{claim(1)}},
			{answer(owner(1, "a", 100, 40, 40)), []action{owned(1, "a", 40)}},
			{func(t *table) []action { return t.learn(news{whole: true, rev: 30, nodes: self(30)}) }, nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := openTable()
			for i, s := range steps {
				if got := s.do(table); !reflect.DeepEqual(got, s.want) {
					t.Fatalf("step %d: got %v, want %v", i, got, s.want)
				}
			}
		})
	}
}

// world is an etcd of plain data with several tables around it. What it says to a
// table comes in order from the watch, and in order as answers, but the two overtake
// each other; leases are lost at any time, and tables learn of it late.
type world struct {
	t       *testing.T
	r       *rand.Rand
	rev     int64
	leases  int64
	keys    map[int]shardFact
	members []*member
}

type member struct {
	*table
	name    string
	alive   bool // etcd has its lease
	watch   []news
	todo    work
	late    bool
	told    map[int]cluster.Ownership
	stopped map[int]uint64 // epochs for which it has stopped to act
}

const worldShards = 4

func (w *world) change(f shardFact) {
	w.keys[f.shard] = f
	if f.node == "" {
		delete(w.keys, f.shard)
	}
	for _, m := range w.members {
		if m.lease != 0 {
			m.watch = append(m.watch, news{shards: []shardFact{f}})
		}
	}
}

// end is a lease's end at etcd, with its keys.
func (w *world) end(m *member) {
	m.alive = false
	w.rev++
	for n := range worldShards {
		if f, ok := w.keys[n]; ok && f.lease == m.lease {
			w.change(gone(n, w.rev))
		}
	}
}

func (w *world) open(m *member) {
	w.rev++
	w.leases++
	m.alive, m.watch, m.todo, m.late = true, nil, nil, false
	all := news{whole: true, rev: w.rev, nodes: []nodeFact{{member: cluster.Member{Name: m.name}, lease: w.leases, rev: w.rev}}}
	for n := range worldShards {
		if f, ok := w.keys[n]; ok {
			f.rev = w.rev
			all.shards = append(all.shards, f)
		}
	}
	w.perform(m, m.opened(w.leases, epochStart, 1, all))
}

// answer does what a table has asked for, at etcd, and returns what came of it.
func (w *world) answer(m *member, jobs work) (found []shardFact) {
	w.rev++
	for _, j := range jobs {
		f, there := w.keys[j.shard]
		switch {
		case j.release == 0 && !there:
			w.change(owner(j.shard, m.name, m.lease, w.rev, w.rev))
		case j.release != 0 && there && f.epoch == j.release:
			w.change(gone(j.shard, w.rev))
		}
		f, there = w.keys[j.shard]
		if f.rev = w.rev; !there {
			f = gone(j.shard, w.rev)
		}
		found = append(found, f)
	}
	return found
}

func (w *world) perform(m *member, actions []action) {
	for _, a := range actions {
		switch a := a.(type) {
		case work:
			m.todo = append(m.todo, a...)
		case tryLater:
			m.late = true
		case tellOwner:
			w.check(m, cluster.Ownership(a))
		case report, giveUp:
			w.t.Fatalf("%s: %v", m.name, a)
		}
	}
}

// check: of two words about a shard the one with the higher epoch is the later one,
// and no two tables own a shard that has one owner at etcd.
func (w *world) check(m *member, o cluster.Ownership) {
	if old, ok := m.told[o.Shard]; ok && (o.Epoch < old.Epoch || o.Epoch == old.Epoch && o.Node != old.Node) {
		w.t.Fatalf("%s: %+v after %+v", m.name, o, old)
	}
	m.told[o.Shard] = o
	if o.Node == m.name && m.stopped[o.Shard] >= o.Epoch {
		w.t.Fatalf("%s: owns shard %d again in epoch %d, in which it has released it", m.name, o.Shard, o.Epoch)
	}
	for _, x := range w.members {
		y := x.told[o.Shard]
		if x != m && o.Node == m.name && y.Node == x.name && x.alive && m.alive && x.stopped[o.Shard] != y.Epoch {
			w.t.Fatalf("%s: %+v, and %s: %+v", m.name, o, x.name, y)
		}
	}
}

func (w *world) step(faults bool) {
	m := w.members[w.r.IntN(len(w.members))]
	n := w.r.IntN(worldShards)
	switch x := w.r.IntN(20); {
	case m.lease == 0:
		if !m.alive {
			w.open(m)
		}
	case !m.alive && (x == 0 || !faults):
		w.perform(m, m.closed())
	case !m.alive:
	case x < 8 && len(m.watch) > 0:
		next := m.watch[0]
		m.watch = m.watch[1:]
		w.perform(m, m.learn(next))
	case x < 12 && len(m.todo) > 0:
		jobs := m.todo
		m.todo = nil
		found := w.answer(m, jobs)
		for w.r.IntN(2) == 0 && len(m.watch) > 0 { // the watch overtakes
			next := m.watch[0]
			m.watch = m.watch[1:]
			w.perform(m, m.learn(next))
		}
		w.perform(m, m.answered(found))
	case x < 14 && m.late:
		m.late = false
		w.perform(m, m.due())
	case x == 14 && faults:
		w.perform(m, m.claim(n))
	case x == 15 && faults:
		if o := m.told[n]; o.Node == m.name {
			m.stopped[n] = o.Epoch
		}
		w.perform(m, m.release(n))
	case x == 16 && faults && w.r.IntN(10) == 0:
		w.end(m)
	}
}

func TestTable_AnyOrder(t *testing.T) {
	for seed := range uint64(500) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &world{t: t, r: rand.New(rand.NewPCG(seed, 1)), keys: map[int]shardFact{}}
			for _, name := range []string{"a", "b", "c"} {
				w.members = append(w.members, &member{
					table: newTable(cluster.Member{Name: name}), name: name,
					told: map[int]cluster.Ownership{}, stopped: map[int]uint64{}})
			}
			for range 2000 {
				w.step(true)
			}
			for _, m := range w.members {
				for n := range worldShards {
					w.perform(m, m.claim(n))
				}
			}
			for range 2000 {
				w.step(false)
			}
			later := epochStart.Add(1)
			for _, m := range w.members {
				w.perform(m, m.renewed(later))
			}
			for n := range worldShards {
				for _, m := range w.members {
					if o := m.told[n]; o.Node == m.name && !o.Deadline.Equal(later) {
						t.Errorf("%s is not told of a renewal: %+v", m.name, o)
					}
					if o := m.told[n]; o.Node != w.keys[n].node || o.Node == "" || o.Epoch != uint64(w.keys[n].epoch) {
						t.Errorf("shard %d is %+v, and %s knows %+v", n, w.keys[n], m.name, o)
					}
				}
			}
		})
	}
}
