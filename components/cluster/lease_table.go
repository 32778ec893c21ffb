package cluster

import (
	"slices"
	"time"
)

// leaseTable is one node's part in the protocol, without clock or network: times are
// since its start.
type leaseTable struct {
	leaseTerms
	floor    uint64
	acceptor leaseAcceptor
	proposer leaseProposer
	learner  leaseLearner
}

func newLeaseTable(terms leaseTerms) *leaseTable {
	t := &leaseTable{leaseTerms: terms}
	t.acceptor = leaseAcceptor{terms: &t.leaseTerms, seats: map[int]*leaseSeat{}}
	t.learner = leaseLearner{known: map[int]*leaseKnown{}}
	t.proposer = leaseProposer{terms: &t.leaseTerms, learner: &t.learner, ballot: t.ballot, bids: map[int]*leaseBid{}}
	return t
}

// ballot is higher than all that the node has seen.
func (t *leaseTable) ballot() leaseBallot {
	t.floor = max(t.floor+1, uint64(max(0, t.clock())))
	return newLeaseBallot(t.floor, t.self)
}

// claim and release take effect in one of the next turns, together with others.
func (t *leaseTable) claim(now time.Duration, shard int) { t.proposer.claim(now, shard) }

func (t *leaseTable) release(now time.Duration, shard int) []leaseAction {
	return t.proposer.release(now, shard)
}

// leave releases everything, at once.
func (t *leaseTable) leave(now time.Duration) []leaseAction {
	return t.settle(now, t.proposer.leave())
}

// apply takes a message. What is due comes first: an owner whose time is over is
// none when a late grant arrives.
func (t *leaseTable) apply(now time.Duration, m leaseMail) []leaseAction {
	if m.toStart != 0 && m.toStart != t.start {
		return nil
	}
	acts := t.turn(now)
	t.floor = max(t.floor, m.floor)
	var more []leaseAction
	for _, e := range m.entries {
		more = append(more, t.take(now, m.from, m.start, e)...)
	}
	acts = append(acts, t.settle(now, more)...)
	return append(acts, t.turn(now)...)
}

// next is when turn has something to do.
func (t *leaseTable) next() (due time.Duration, ok bool) {
	due = min(t.proposer.next(), t.learner.next())
	return due, due != leaseForever
}

// turn does what is due.
func (t *leaseTable) turn(now time.Duration) []leaseAction {
	var out []leaseAction
	for due, ok := t.next(); ok && due <= now; due, ok = t.next() {
		acts := t.learner.turn(now)
		for _, a := range acts {
			t.proposer.freed(now, a.tell.shard)
		}
		acts = append(acts, t.proposer.turn(now)...)
		out = append(out, t.settle(now, acts)...)
	}
	return out
}

// settle hands the node its own entries, and returns what is for others.
func (t *leaseTable) settle(now time.Duration, acts []leaseAction) (out []leaseAction) {
	for len(acts) > 0 {
		a := acts[0]
		acts = acts[1:]
		if a.to == t.self {
			acts = append(acts, t.take(now, t.self, t.start, a.entry)...)
		} else {
			out = append(out, a)
		}
	}
	return out
}

// take does what one entry asks for, or answers.
func (t *leaseTable) take(now time.Duration, from int, start uint64, e leaseEntry) []leaseAction {
	if proposer := e.ballot.node(); e.kind < leasePromise && proposer != from || e.kind >= leasePromise && proposer != t.self {
		return nil // nobody speaks in another's name
	}
	t.floor = max(t.floor, e.ballot.counter(), e.owned.counter())
	answer := func(a leaseEntry) []leaseAction { return []leaseAction{{to: from, start: start, entry: a}} }
	switch e.kind {
	case leasePrepare, leasePropose:
		return answer(t.acceptor.apply(now, start, e))
	case leaseRenew:
		if latest := t.learner.latest(e.shard); latest > e.ballot {
			return answer(e.refused(0, latest))
		}
		acts := answer(t.acceptor.apply(now, start, e))
		return append(acts, t.learned(now, from, e.shard, e.ballot, now+t.lease)...)
	case leaseRelease:
		t.acceptor.release(start, e)
		if from == t.self {
			return nil // the learner knows
		}
		var acts []leaseAction
		if e.owned == e.ballot { // who has not heard of the owner yet takes nobody's word for it later
			acts = t.learned(now, from, e.shard, e.ballot, now)
		}
		t.proposer.freed(now, e.shard)
		return append(acts, t.learner.over(e.shard, e.ballot)...)
	case leaseRefused:
		if t.learner.released(e.shard, e.owned) && t.proposer.again(now, e) {
			return nil // it will hear of that, too
		}
		acts := t.proposer.apply(now, from, e)
		if owner := e.owned.node(); e.owned != 0 && e.stamp > 0 && owner < t.nodes {
			acts = append(acts, t.learned(now, owner, e.shard, e.owned, now+min(e.stamp, t.lease))...)
		}
		return acts
	default:
		return t.proposer.apply(now, from, e)
	}
}

// learned notes who owns a shard. What this node owns, its proposer says.
func (t *leaseTable) learned(now time.Duration, owner, shard int, b leaseBallot, until time.Duration) []leaseAction {
	if owner == t.self {
		return nil
	}
	return append(t.proposer.overtaken(now, shard, b), t.learner.heard(shard, b, until)...)
}

// leaseLetter is a message and the node that it is for.
type leaseLetter struct {
	to int
	leaseMail
}

// letters puts what is for one node together.
func (t *leaseTable) letters(acts []leaseAction) (out []leaseLetter) {
	for _, a := range acts {
		if a.to == leaseTell {
			continue
		}
		i := slices.IndexFunc(out, func(l leaseLetter) bool {
			return l.to == a.to && l.toStart == a.start && len(l.entries) < leaseEntries
		})
		if i < 0 {
			i = len(out)
			out = append(out, leaseLetter{a.to, leaseMail{from: t.self, start: t.start, toStart: a.start, floor: t.floor}})
		}
		out[i].entries = append(out[i].entries, a.entry)
	}
	return out
}
