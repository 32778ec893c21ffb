package etcd

import (
	"github.com/usher-go/usher/components/cluster"
)

// shard is what a table knows of one.
type shard struct {
	wanted bool // claimed, and not released since
	ending bool // released while owned: it goes back to etcd even if claimed again
	busy   bool // a job is under way
	late   bool // to be claimed when tryLater is over

	node  string // the owner; empty: nobody
	lease int64  // the owner's
	epoch int64
	rev   int64 // the newest revision that something is known from

	told cluster.Ownership // what Host.Owner has been told last
}

// learn reports whether a fact is news. Answers and the watch overtake each other;
// revisions say which is later.
func (s *shard) learn(f shardFact) bool {
	if f.rev <= s.rev {
		return false
	}
	s.node, s.lease, s.epoch, s.rev = f.node, f.lease, f.epoch, f.rev
	return true
}

// lost ends an ownership without etcd's having said so. The key is still there, and
// its end will have a revision of its own: at least this epoch, and below the next
// owner's.
func (s *shard) lost() {
	s.node, s.lease, s.rev = "", 0, 0
	s.epoch++
}

// owns reports whether this node's present lease has the shard.
func (t *table) owns(s *shard) bool {
	return t.lease != 0 && s.lease == t.lease && s.node == t.self.Name
}

// tell has the host learn of changes. What was released is not told of before it is
// gone, and nothing is told of shards that never had an owner.
func (t *table) tell(n int, s *shard) {
	o := cluster.Ownership{Shard: n, Node: s.node, Epoch: uint64(s.epoch)}
	if t.owns(s) {
		if !s.wanted || s.ending {
			return
		}
		o.Deadline = t.deadline
	}
	if o.Node == s.told.Node && (o.Node == "" || o.Epoch == s.told.Epoch && o.Deadline.Equal(s.told.Deadline)) {
		return
	}
	s.told = o
	t.do(tellOwner(o))
}

// step finds the next job for a shard. One that just became free is not claimed at
// once, when all who want it learn so in the same moment.
func (t *table) step(n int, s *shard, now bool) {
	mine := t.owns(s)
	if !mine {
		s.ending = false
	}
	switch {
	case t.lease == 0 || s.busy:
	case mine && (s.ending || !s.wanted):
		s.busy = true
		t.jobs = append(t.jobs, job{shard: n, release: s.epoch})
	case s.node != "" || !s.wanted:
	case now:
		s.busy, s.late = true, false
		t.jobs = append(t.jobs, job{shard: n})
	case !s.late:
		s.late = true
		t.do(tryLater{})
	}
}
