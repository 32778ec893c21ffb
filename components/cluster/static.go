package cluster

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Static is a Directory that needs nothing but the nodes themselves: the name of each
// and the address under which it listens, in host:port form, the same on all of them.
// An empty one is a cluster of the one node that joins.
//
//	cluster.Static{"node-1": "10.0.0.1:7000", "node-2": "10.0.0.2:7000", "node-3": "10.0.0.3:7000"}
//
// The nodes own shards by leases of 3 seconds, which more than half of the listed
// nodes must grant (two of two, two of three, three of five). A claim to a free shard
// takes two round trips. A node that stops without Leave keeps its shards for 3
// seconds, and about one more until another has them. A node that has started grants
// nothing for 3 seconds, as it does not know what it granted before; in a cluster of
// one there is no such wait.
//
// At no time do two nodes own a shard, whatever happens to nodes and messages between
// them, as long as no clock runs wrong by more than 1 %. Clocks need not agree on the
// time of day. Only if all of the nodes that knew a shard's owner start anew before the
// next one is chosen do epochs rest on it: they grow if the clocks of day are then
// within a second; in a cluster of one, if its clock is not set back. A machine that is suspended, or a virtual one that is frozen,
// may stop its clock for longer than the bound: a receiver that must know about this
// compares epochs.
//
// To change the names in the list, stop a node that is to go, then restart the others,
// one after the other, with one name more or one less, all of them before the next
// change; two changes at once, as a new name for a node is, could let two nodes own a
// shard. Nodes with different lists do not grant each other's claims, and Host.Failed
// says so.
type Static map[string]string

var _ Directory = Static{}

// Join does not block. An error wraps ErrConfig and names what is wrong with the list.
// Host.Members is called once, before Join returns, with self's address as it is and
// everyone else's as listed; the epochs of others are not known here.
func (s Static) Join(ctx context.Context, self Member, h Host) (Membership, error) {
	return s.join(ctx, self, h, leaseTime)
}

func (s Static) join(ctx context.Context, self Member, h Host, lease time.Duration) (Membership, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, index, err := maps.Clone(s).members(self)
	if err != nil {
		return nil, err
	}
	base := h.Now()
	terms := newLeaseTerms(index, len(list), lease)
	terms.clock = func() int64 { return h.Now().UnixMilli() }
	if terms.start = self.Epoch; terms.start == 0 {
		terms.start = uint64(base.UnixNano())
	}
	luck := rand.New(rand.NewPCG(uint64(h.Chance(1<<62)), uint64(index)))
	terms.chance = luck.Int64N

	m := &staticMember{
		host: h, list: list, base: base, cluster: leaseHash(list, lease),
		table: newLeaseTable(terms), index: map[string]int{}, armed: leaseForever,
		complaints: map[string]bool{}, idle: make(chan struct{}),
	}
	for i, one := range list {
		m.index[one.Name] = i
	}
	h.Members(slices.Clone(list))
	return m, nil
}

func (m *staticMember) Claim(shard int) {
	if shard < 0 || shard >= leaseShards {
		m.do(func(time.Duration) []leaseAction {
			m.complain(fmt.Errorf("cluster.Static: claim to shard %d; shards are from 0 to %d", shard, leaseShards-1))
			return nil
		})
		return
	}
	m.do(func(now time.Duration) []leaseAction {
		m.table.claim(now, shard)
		return nil
	})
}

func (m *staticMember) Release(shard int) {
	m.do(func(now time.Duration) []leaseAction { return m.table.release(now, shard) })
}

func (m *staticMember) Receive(from string, message []byte) {
	m.do(func(now time.Duration) []leaseAction {
		i, known := m.index[from]
		if !known || i == m.table.self {
			m.complain(fmt.Errorf("cluster.Static: node %q: %w", from, errLeaseCluster))
			return nil
		}
		mail, err := decodeLease(message, m.cluster, i)
		if err != nil {
			m.complain(fmt.Errorf("cluster.Static: node %s: %w", from, err))
			return nil
		}
		return m.table.apply(now, mail)
	})
}

// Leave does not wait for other nodes. It must not be called by a method of Host.
func (m *staticMember) Leave(ctx context.Context) error {
	m.do(func(now time.Duration) []leaseAction {
		m.left = true
		return m.table.leave(now)
	})
	select {
	case <-m.idle:
		return nil
	default:
	}
	select {
	case <-m.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
