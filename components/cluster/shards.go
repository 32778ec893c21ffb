package cluster

import (
	"hash/fnv"
	"slices"
	"time"
)

// A key belongs to a shard, for ever: FNV-1a of "kind/key", modulo Config.Shards. A shard
// is owned by one node at a time. Every node that offers kinds claims the shards for
// which it ranks first among those that it can reach, by the hash of shard and name: when
// a node comes or goes, only its own shards move.

func shardOf(path string, shards int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path))
	return int(mix(h.Sum64()) % uint64(shards))
}

// rank orders nodes for a shard; the highest owns it.
func rank(node string, shard int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(shard), byte(shard >> 8)})
	_, _ = h.Write([]byte(node))
	return mix(h.Sum64())
}

// mix spreads what FNV leaves alike in the high bits of short texts.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// shardTable decides which shards a node claims and gives up. It does nothing itself.
type shardTable struct {
	self   string
	offers bool // this node runs keys
	settle time.Duration

	begun time.Time            // of its first tick; zero before
	nodes map[string]time.Time // others that run keys and can be reached, and since when
	list  []shard
}

// shard is what is known of one.
type shard struct {
	Ownership
	over     uint64 // this node's ownerships up to this epoch have ended
	claimed  bool
	draining bool // its sessions are being stopped, to give it up
}

// shardAction is what is to be done with a shard.
type shardAction struct {
	shard int
	do    shardDeed
}

type shardDeed uint8

const (
	deedClaim   shardDeed = iota
	deedRelease           // nothing of it runs here
	deedDrain             // stop what runs, then say drained
)

func newShardTable(self string, offers bool, n int, settle time.Duration) *shardTable {
	t := &shardTable{self: self, offers: offers, settle: settle, nodes: map[string]time.Time{}, list: make([]shard, n)}
	for i := range t.list {
		t.list[i].Shard = i
	}
	return t
}

// reach takes whether another node that runs keys can be reached; true if that is new.
func (t *shardTable) reach(node string, ok bool, now time.Time) bool {
	_, had := t.nodes[node]
	switch {
	case ok == had:
		return false
	case ok:
		t.nodes[node] = now
	default:
		delete(t.nodes, node)
	}
	return true
}

// preferred is who should own a shard, as far as this node can see, and since when it has
// been there; "" when nobody runs keys.
func (t *shardTable) preferred(i int) (node string, since time.Time) {
	best := uint64(0)
	look := func(name string, at time.Time) {
		if r := rank(name, i); node == "" || r > best || r == best && name > node {
			node, since, best = name, at, r
		}
	}
	if t.offers {
		look(t.self, t.begun)
	}
	for name, at := range t.nodes {
		look(name, at)
	}
	return node, since
}

// owner takes what the directory says; false when that was overtaken. What this node has
// given up it does not own again in the same epoch: the news was under way. An
// ownership of this node that has ended, or is another one than before, must not go on.
func (t *shardTable) owner(o Ownership) (taken, ended bool) {
	s := &t.list[o.Shard]
	old := s.Ownership
	mine := old.Node == t.self && old.Epoch > s.over
	switch {
	case o.Epoch < old.Epoch:
		return false, false
	case o.Node == t.self && (!s.claimed || o.Epoch <= s.over):
		return false, false
	case o.Epoch == old.Epoch && o.Node == old.Node && o.Deadline.Before(old.Deadline):
		return false, false
	}
	s.Ownership = o
	if ended = mine && (o.Node != t.self || o.Epoch != old.Epoch); ended {
		s.over = old.Epoch
	}
	return true, ended
}

// owns reports whether this node may act for a shard now.
func (t *shardTable) owns(i int, now time.Time) bool {
	s := &t.list[i]
	return s.Node == t.self && !s.draining && now.Before(s.Deadline)
}

// route is where an event for a shard should go.
func (t *shardTable) route(i int) string {
	if s := &t.list[i]; s.Node == t.self {
		return t.self
	} else if _, ok := t.nodes[s.Node]; ok {
		return s.Node
	}
	node, _ := t.preferred(i)
	return node
}

// tick looks what is to be claimed and given up.
func (t *shardTable) tick(now time.Time) []shardAction {
	if t.begun.IsZero() {
		t.begun = now
	}
	if !t.offers || now.Sub(t.begun) < t.settle {
		return nil // until others had time to show up
	}
	var actions []shardAction
	for i := range t.list {
		s := &t.list[i]
		node, since := t.preferred(i)
		switch {
		case s.draining:
		case node == t.self && !s.claimed:
			s.claimed = true
			actions = append(actions, shardAction{i, deedClaim})
		case node == t.self || !s.claimed || now.Sub(since) < t.settle:
		case s.Node == t.self:
			s.draining = true
			actions = append(actions, shardAction{i, deedDrain})
		default:
			s.claimed = false
			actions = append(actions, shardAction{i, deedRelease})
		}
	}
	return actions
}

// drained says that nothing runs any more for a shard that was to be given up.
func (t *shardTable) drained(i int) []shardAction {
	s := &t.list[i]
	if !s.draining {
		return nil
	}
	s.draining, s.claimed = false, false
	if s.Node == t.self {
		s.over, s.Node, s.Deadline = s.Epoch, "", time.Time{}
	}
	return []shardAction{{i, deedRelease}}
}

// leave gives up everything.
func (t *shardTable) leave() []shardAction {
	t.offers = false
	var actions []shardAction
	for i := range t.list {
		switch s := &t.list[i]; {
		case s.draining:
		case s.Node == t.self:
			s.draining = true
			actions = append(actions, shardAction{i, deedDrain})
		case s.claimed:
			s.claimed = false
			actions = append(actions, shardAction{i, deedRelease})
		}
	}
	return actions
}

// owned are the numbers of this node's shards.
func (t *shardTable) owned() []int {
	var list []int
	for i := range t.list {
		if t.list[i].Node == t.self {
			list = append(list, i)
		}
	}
	return slices.Clip(list)
}
