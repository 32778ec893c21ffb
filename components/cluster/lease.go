package cluster

import "time"

// Leases decide, between the nodes of a Static list alone, which of them owns a
// shard. It is PaxosLease (Trencseni, Gazso, Reinhardt, 2012) with a stricter
// acceptor. Every listed node is an acceptor that keeps everything in memory; a node
// that claims a shard is a proposer and needs a majority of the listed acceptors:
//
//	proposer                          acceptor
//	prepare(ballot)          →        promise: no lower ballot will be granted
//	propose(ballot, stamp)   →        granted(stamp), kept for the lease time
//	renew(ballot, stamp)     →        granted(stamp), a third of the lease time later
//	release(ballot)          →        the grant ends
//
// One owner. An acceptor has one grant for a shard, and gives it to no other node
// before it has ended. An owner counts from when it sent what was granted, and ends
// early by what two clocks may drift apart. So while one acts, a majority keeps its
// grant, and every other majority has one of those in it. An acceptor that has started
// has forgotten its grants, and waits for a lease time, in which they end. No message
// is ever too late, doubled or out of order for this: it rests on durations only, each
// measured by one clock.
//
// Growing epochs. A ballot is a counter and the node's index; the one with which a
// shard was gained is the owner's epoch. A grant to a proposal promises the same as
// a promise does, so a later owner's ballot is higher than that of an earlier one if
// one acceptor remembers that it granted both. If each of them has started in
// between, the ballot is higher if one node has told the new owner's of a ballot as
// high (every message carries the highest one known), or else by the clocks of day:
// counters are no lower than its milliseconds. Then the clocks must not be further
// apart than a third of the lease time (in a cluster of one: must not be set back). A
// node that hears of an owner whose epoch is lower than one it knows makes it give up
// and begin again above that.
//
// A clock that stands still while its machine sleeps is beyond what this bears. So is a
// node that lies: who may be one is for the transport's certificates.

const (
	leaseTime  = 3 * time.Second
	leaseDrift = 100 // a clock runs wrong by at most a hundredth

	leaseShards = 1 << 16 // shards are below this
	leaseNodes  = 1 << 10
)

// leaseTerms are the numbers by which a node takes part.
type leaseTerms struct {
	self, nodes int
	start       uint64 // tells this start of the node from others

	lease  time.Duration // an acceptor keeps a grant so long
	hold   time.Duration // an owner acts so long from when it sent a proposal
	wait   time.Duration // an acceptor that has started takes no part so long
	quorum int

	clock  func() int64        // the clock of day in milliseconds
	chance func(n int64) int64 // a number below n
}

// newLeaseTerms: an owner's clock may be slow by a hundredth, and an acceptor's fast
// by as much.
func newLeaseTerms(self, nodes int, lease time.Duration) leaseTerms {
	t := leaseTerms{self: self, nodes: nodes, lease: lease, wait: lease, quorum: nodes/2 + 1}
	t.hold = lease - lease*2/leaseDrift
	if nodes == 1 {
		t.wait = 0 // what the only acceptor has forgotten was its own node's
	}
	return t
}

// leaseBallot is a counter and, in the low 16 bits, the index of a node.
type leaseBallot uint64

const leaseCounters = 1 << 47 // above what a clock of day says for some thousand years

func newLeaseBallot(counter uint64, node int) leaseBallot {
	return leaseBallot(counter<<16 | uint64(node))
}

func (b leaseBallot) counter() uint64 { return uint64(b) >> 16 }
func (b leaseBallot) node() int       { return int(b & 0xffff) }

type leaseKind uint8

const (
	leasePrepare leaseKind = iota + 1
	leasePropose
	leaseRenew
	leaseRelease
	leasePromise
	leaseGranted
	leaseRefused
)

// leaseEntry is what a node tells another about one shard.
type leaseEntry struct {
	kind   leaseKind
	shard  int
	ballot leaseBallot // of the proposer; an answer repeats it

	// Propose and renew: when it was sent, by the proposer's clock; granted repeats
	// it. Refused: how long at least it will stay so.
	stamp time.Duration

	// Refused: the latest owner's ballot, 0: not known. Release: the same as ballot if
	// that has owned the shard, which the receiver may not have heard yet.
	owned leaseBallot
}

// leaseMail is a message: entries for one node.
type leaseMail struct {
	from    int
	start   uint64 // since which start of the sender
	toStart uint64 // to which start of the receiver; 0: any
	floor   uint64 // the highest counter that the sender knows
	entries []leaseEntry
}

// leaseAction is an entry for a node, or the word to the host that an owner changed.
type leaseAction struct {
	to    int    // leaseTell: see tell
	start uint64 // as leaseMail.toStart
	entry leaseEntry
	tell  leaseOwner
}

const (
	leaseTell   = -1
	leaseNobody = -1
)

// leaseOwner is an Ownership by index and by the table's clock.
type leaseOwner struct {
	shard, node int // leaseNobody
	ballot      leaseBallot
	deadline    time.Duration // of this node's own
}
