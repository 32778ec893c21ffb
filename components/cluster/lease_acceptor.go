package cluster

import "time"

// leaseAcceptor is the part of a node that grants shards.
type leaseAcceptor struct {
	terms *leaseTerms
	seats map[int]*leaseSeat
}

// leaseSeat is what an acceptor knows of a shard.
type leaseSeat struct {
	promised leaseBallot // no proposal below it is granted

	// The grant: to which ballot, of which start of the node, and until when.
	ballot leaseBallot
	start  uint64
	until  time.Duration
	owned  bool // the ballot's node has owned the shard: it has renewed

	released leaseBallot // messages that are still on their way revive no grant
}

func (e leaseEntry) refused(wait time.Duration, owned leaseBallot) leaseEntry {
	return leaseEntry{kind: leaseRefused, shard: e.shard, ballot: e.ballot, stamp: wait, owned: owned}
}

// apply answers prepare, propose and renew of a node that started so.
func (a *leaseAcceptor) apply(now time.Duration, start uint64, e leaseEntry) leaseEntry {
	if now < a.terms.wait {
		return e.refused(a.terms.wait-now, 0)
	}
	s := a.seats[e.shard]
	if s == nil {
		s = &leaseSeat{}
		a.seats[e.shard] = s
	}
	if now < s.until {
		if s.ballot.node() != e.ballot.node() || s.start != start {
			owned := leaseBallot(0)
			if s.owned {
				owned = s.ballot
			}
			return e.refused(s.until-now, owned)
		}
		if e.ballot < s.ballot {
			return e.refused(0, 0)
		}
	}
	switch {
	case e.ballot == s.released && start == s.start:
		return e.refused(0, 0)
	case e.kind == leaseRenew:
		// Who owned a shard before a higher ballot was promised may go on.
	case e.ballot < s.promised:
		return e.refused(0, 0)
	}
	s.promised = max(s.promised, e.ballot)
	if e.kind == leasePrepare {
		return leaseEntry{kind: leasePromise, shard: e.shard, ballot: e.ballot}
	}
	s.ballot, s.start, s.until, s.owned = e.ballot, start, now+a.terms.lease, e.kind == leaseRenew
	return leaseEntry{kind: leaseGranted, shard: e.shard, ballot: e.ballot, stamp: e.stamp}
}

// release ends a grant for the ballot and start that it was given to.
func (a *leaseAcceptor) release(start uint64, e leaseEntry) {
	if s := a.seats[e.shard]; s != nil && s.ballot == e.ballot && s.start == start {
		s.until, s.released = 0, e.ballot
	}
}
