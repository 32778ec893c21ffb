package etcd

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/components/cluster"
)

// table is what a node knows of the others and of shards, and what it wants. It is
// plain data: methods take what happened and return what is to be done.
type table struct {
	self     cluster.Member
	rev      int64     // the highest revision of a whole
	lease    int64     // what the node is registered under; 0: it is not
	deadline time.Time // by when it lets go unless the lease was renewed

	nodes  map[string]nodeFact // of other nodes
	listed []cluster.Member    // what Host.Members has been told
	shards map[int]*shard

	out  []action
	jobs work
}

func newTable(self cluster.Member) *table {
	return &table{self: self, nodes: map[string]nodeFact{}, shards: map[int]*shard{}}
}

// opened: the node is registered under a new lease, and has read all there is.
func (t *table) opened(lease int64, deadline time.Time, epoch uint64, all news) []action {
	t.lease, t.deadline, t.self.Epoch = lease, deadline, epoch
	clear(t.nodes)
	if all.rev < t.rev {
		t.do(report{fmt.Errorf("%w from %d to %d, and epochs of shards with it; restart what keeps epochs, "+
			"and restore etcd's data with --bump-revision", errWentBack, t.rev, all.rev)})
	}
	t.rev = all.rev
	for _, s := range t.shards {
		s.rev = 0 // etcd may have been set up anew, from the first revision on
	}
	return t.learn(all)
}

// learn takes what etcd has said.
func (t *table) learn(w news) []action {
	if w.whole {
		t.complete(&w)
	}
	for _, f := range w.nodes {
		t.node(f)
	}
	list := t.members()
	if !slices.Equal(list, t.listed) {
		t.listed = list
		t.do(tellMembers(slices.Clone(list)))
	}
	for _, f := range w.shards {
		s := t.shard(f.shard)
		if s.learn(f) {
			t.tell(f.shard, s)
			t.step(f.shard, s, w.whole)
		}
	}
	return t.flush()
}

// complete adds to a whole what it shows by not having it.
func (t *table) complete(w *news) {
	there := map[string]bool{}
	for _, f := range w.nodes {
		there[f.member.Name] = true
	}
	for _, name := range append(slices.Collect(maps.Keys(t.nodes)), t.self.Name) {
		if !there[name] {
			w.nodes = append(w.nodes, nodeFact{member: cluster.Member{Name: name}, gone: true, rev: w.rev})
		}
	}
	known := map[int]bool{}
	for _, f := range w.shards {
		known[f.shard] = true
	}
	for _, n := range slices.Sorted(maps.Keys(t.shards)) {
		if !known[n] {
			w.shards = append(w.shards, shardFact{shard: n, epoch: w.rev, rev: w.rev})
		}
	}
}

var (
	errTaken    = errors.New("another program has changed the node's key")
	errWentBack = errors.New("etcd's revision went back")
)

func (t *table) node(f nodeFact) {
	name := f.member.Name
	switch {
	case name == t.self.Name:
		if f.gone || f.lease != t.lease {
			t.do(giveUp{errTaken})
		}
	case f.gone:
		delete(t.nodes, name)
	default:
		t.nodes[name] = f
	}
}

// members is the list that Host.Members is to have: this node is in it, whatever
// etcd says, and as it knows itself.
func (t *table) members() []cluster.Member {
	list := []cluster.Member{t.self}
	for _, f := range t.nodes {
		list = append(list, f.member)
	}
	slices.SortFunc(list, func(a, b cluster.Member) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// renewed: the lease lives longer.
func (t *table) renewed(deadline time.Time) []action {
	t.deadline = deadline
	t.each(t.tell)
	return t.flush()
}

// closed: the lease is lost, and what was owned with it.
func (t *table) closed() []action {
	lease := t.lease
	t.lease = 0
	t.each(func(n int, s *shard) {
		s.busy, s.late = false, false
		if s.lease == lease && s.node == t.self.Name {
			s.lost()
			t.tell(n, s)
		}
	})
	return t.flush()
}

func (t *table) claim(n int) []action {
	s := t.shard(n)
	s.wanted = true
	t.step(n, s, true)
	return t.flush()
}

func (t *table) release(n int) []action {
	s := t.shard(n)
	s.wanted, s.ending = false, true
	t.step(n, s, true)
	return t.flush()
}

// answered: jobs are done, with these outcomes.
func (t *table) answered(outcomes []shardFact) []action {
	for _, f := range outcomes {
		s := t.shard(f.shard)
		s.busy = false
		if s.learn(f) {
			t.tell(f.shard, s)
		}
		t.step(f.shard, s, false)
	}
	return t.flush()
}

// due: the while of tryLater is over.
func (t *table) due() []action {
	t.each(func(n int, s *shard) {
		if s.late {
			s.late = false
			t.step(n, s, true)
		}
	})
	return t.flush()
}

func (t *table) shard(n int) *shard {
	s := t.shards[n]
	if s == nil {
		s = &shard{}
		t.shards[n] = s
	}
	return s
}

// each visits shards in order, so that what is told has one.
func (t *table) each(f func(n int, s *shard)) {
	for _, n := range slices.Sorted(maps.Keys(t.shards)) {
		f(n, t.shards[n])
	}
}

func (t *table) do(a action) { t.out = append(t.out, a) }

func (t *table) flush() []action {
	if len(t.jobs) > 0 {
		t.do(t.jobs)
	}
	out := t.out
	t.out, t.jobs = nil, nil
	return out
}
