package cluster

import (
	"maps"
	"math"
	"slices"
	"time"
)

const leaseForever = time.Duration(math.MaxInt64)

// leaseLearner is what a node knows of who owns what, and has told its host.
type leaseLearner struct{ known map[int]*leaseKnown }

// leaseKnown is the latest owner of a shard.
type leaseKnown struct {
	ballot leaseBallot
	until  time.Duration // silence so long means that it is lost
	live   bool          // owns it, as far as known
	over   bool          // has released it: messages still on their way change nothing
}

// latest is the latest known owner's ballot, which may own the shard or not any more.
func (l *leaseLearner) latest(shard int) leaseBallot {
	if k := l.known[shard]; k != nil {
		return k.ballot
	}
	return 0
}

// taken says until when a shard is another's, as far as known.
func (l *leaseLearner) taken(shard int) (until time.Duration, yes bool) {
	if k := l.known[shard]; k != nil && k.live {
		return k.until, true
	}
	return 0, false
}

// heard says that a ballot's node owns a shard. It tells what is new.
func (l *leaseLearner) heard(shard int, b leaseBallot, until time.Duration) []leaseAction {
	k := l.known[shard]
	if k == nil {
		k = &leaseKnown{}
		l.known[shard] = k
	}
	switch {
	case b < k.ballot || b == k.ballot && k.over:
		return nil
	case b == k.ballot && k.live:
		k.until = max(k.until, until)
		return nil
	}
	*k = leaseKnown{ballot: b, until: until, live: true}
	return leaseTold(leaseOwner{shard: shard, node: b.node(), ballot: b})
}

// own says that this node owns a shard. Its proposer tells the host, with the deadline.
func (l *leaseLearner) own(shard int, b leaseBallot) {
	l.known[shard] = &leaseKnown{ballot: b, until: leaseForever, live: true}
}

// over says that a ballot's node owns a shard no more.
func (l *leaseLearner) over(shard int, b leaseBallot) []leaseAction {
	k := l.known[shard]
	if k == nil || k.ballot != b || k.over {
		return nil
	}
	k.over = true
	return k.end(shard)
}

// released reports whether a ballot's node is known to have given the shard up.
func (l *leaseLearner) released(shard int, b leaseBallot) bool {
	k := l.known[shard]
	return k != nil && k.over && k.ballot == b
}

func (k *leaseKnown) end(shard int) []leaseAction {
	if !k.live {
		return nil
	}
	k.live = false
	return leaseTold(leaseOwner{shard: shard, node: leaseNobody, ballot: k.ballot})
}

func (l *leaseLearner) next() time.Duration {
	due := leaseForever
	for _, k := range l.known {
		if k.live {
			due = min(due, k.until)
		}
	}
	return due
}

// turn tells which owners have been silent for too long.
func (l *leaseLearner) turn(now time.Duration) (acts []leaseAction) {
	for _, shard := range slices.Sorted(maps.Keys(l.known)) {
		if k := l.known[shard]; k.live && now >= k.until {
			acts = append(acts, k.end(shard)...)
		}
	}
	return acts
}

func leaseTold(o leaseOwner) []leaseAction { return []leaseAction{{to: leaseTell, tell: o}} }
