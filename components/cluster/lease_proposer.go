package cluster

import (
	"maps"
	"slices"
	"time"
)

// leaseProposer is the part of a node that claims shards, and renews what it owns.
type leaseProposer struct {
	terms   *leaseTerms
	learner *leaseLearner
	ballot  func() leaseBallot
	bids    map[int]*leaseBid

	renewal time.Duration // of all that is owned
	parting []leaseEntry  // releases to be sent …
	parts   time.Duration // … then

	drawn time.Duration // when luck was drawn: shards that were due together stay so
	luck  int64
}

type leaseStage uint8

const (
	leaseIdle leaseStage = iota // until due
	leasePreparing
	leaseProposing
	leaseOwning
)

// leaseBid is a claim to a shard.
type leaseBid struct {
	stage    leaseStage
	ballot   leaseBallot
	until    time.Duration // preparing, proposing: then it has failed; owning: the deadline
	due      time.Duration
	patience time.Duration // until then a ballot may come to something
	ask      time.Duration // preparing: when who has not answered is asked again
	sent     time.Duration // the latest stamp
	failures int
	answers  []leaseAnswer // of each node
}

// leaseAnswer is what an acceptor has said to a bid's ballot.
type leaseAnswer struct {
	promised bool
	refused  bool
	free     time.Duration // when it may say yes; leaseForever: it has not answered
	granted  time.Duration // the latest stamp, leaseNever
}

const leaseNever = time.Duration(-1)

// gather is how long a claim or a release waits for more of them.
func (p *leaseProposer) gather() time.Duration { return p.terms.lease / 600 }

func (p *leaseProposer) claim(now time.Duration, shard int) {
	if p.bids[shard] == nil {
		p.bids[shard] = &leaseBid{due: now + p.gather()}
	}
}

// release ends a claim. The host hears at once, the acceptors with the next releases.
func (p *leaseProposer) release(now time.Duration, shard int) []leaseAction {
	b := p.bids[shard]
	if b == nil {
		return nil
	}
	delete(p.bids, shard)
	if b.stage < leaseProposing {
		return nil
	}
	if len(p.parting) == 0 {
		p.parts = now + p.gather()
	}
	p.parting = append(p.parting, b.release(shard))
	return p.learner.over(shard, b.ballot)
}

func (p *leaseProposer) leave() []leaseAction {
	for _, shard := range slices.Sorted(maps.Keys(p.bids)) {
		p.release(0, shard)
	}
	return p.part()
}

func (p *leaseProposer) part() (acts []leaseAction) {
	for _, e := range p.parting {
		acts = append(acts, p.all(e)...)
	}
	p.parting = nil
	return acts
}

// all sends an entry to every acceptor.
func (p *leaseProposer) all(e leaseEntry) []leaseAction {
	acts := make([]leaseAction, p.terms.nodes)
	for i := range acts {
		acts[i] = leaseAction{to: i, entry: e}
	}
	return acts
}

// next is when turn has something to do.
func (p *leaseProposer) next() time.Duration {
	due := leaseForever
	if len(p.parting) > 0 {
		due = p.parts
	}
	for _, b := range p.bids {
		switch b.stage {
		case leaseIdle:
			due = min(due, b.due)
		case leasePreparing:
			due = min(due, b.until, b.ask)
		case leaseOwning:
			due = min(due, b.until, p.renewal)
		default:
			due = min(due, b.until)
		}
	}
	return due
}

// turn begins bids that are due, ends what has taken too long, and renews.
func (p *leaseProposer) turn(now time.Duration) (acts []leaseAction) {
	if now >= p.parts {
		acts = p.part()
	}
	renew := now >= p.renewal
	if renew {
		p.renewal = now + p.terms.lease/3
	}
	for _, shard := range slices.Sorted(maps.Keys(p.bids)) {
		b := p.bids[shard]
		if b.stage != leaseIdle && now >= b.until {
			acts = append(acts, p.fail(now, shard, b)...)
		}
		switch {
		case b.stage == leaseIdle && now >= b.due:
			acts = append(acts, p.begin(now, shard, b)...)
		case b.stage == leasePreparing && now >= b.ask:
			acts = append(acts, p.prepare(now, shard, b)...)
		case b.stage == leaseOwning && renew:
			b.sent = now
			acts = append(acts, p.all(leaseEntry{kind: leaseRenew, shard: shard, ballot: b.ballot, stamp: now})...)
		}
	}
	return acts
}

func (p *leaseProposer) begin(now time.Duration, shard int, b *leaseBid) []leaseAction {
	if until, yes := p.learner.taken(shard); yes {
		b.due = p.later(now, until-now, p.terms.lease/12)
		return nil
	}
	b.stage, b.ballot = leasePreparing, p.ballot()
	b.patience = now + min(p.terms.lease/6<<min(b.failures, 2), p.terms.lease/2)
	b.until = b.patience
	b.answers = make([]leaseAnswer, p.terms.nodes)
	for i := range b.answers {
		b.answers[i] = leaseAnswer{granted: leaseNever, free: leaseForever}
	}
	return p.prepare(now, shard, b)
}

// prepare asks the acceptors that have not answered: to ask twice does no harm.
func (p *leaseProposer) prepare(now time.Duration, shard int, b *leaseBid) (acts []leaseAction) {
	b.ask = now + p.terms.lease/12
	for i, a := range b.answers {
		if a.free == leaseForever {
			acts = append(acts, leaseAction{to: i, entry: leaseEntry{kind: leasePrepare, shard: shard, ballot: b.ballot}})
		}
	}
	return acts
}

// again has an acceptor asked again soon whose refusal is of no account: false if it was
// not asked.
func (p *leaseProposer) again(now time.Duration, e leaseEntry) bool {
	b := p.bids[e.shard]
	if b == nil || b.stage != leasePreparing || e.ballot != b.ballot {
		return false
	}
	b.ask = min(b.ask, now+p.terms.lease/120)
	return true
}

// apply takes an acceptor's answer.
func (p *leaseProposer) apply(now time.Duration, from int, e leaseEntry) []leaseAction {
	b := p.bids[e.shard]
	if e.kind == leaseRefused && b != nil && b.stage == leaseOwning && e.owned > b.ballot {
		return p.overtaken(now, e.shard, e.owned)
	}
	if b == nil || b.stage == leaseIdle || e.ballot != b.ballot {
		return nil
	}
	a := &b.answers[from]
	switch e.kind {
	case leasePromise:
		a.promised, a.free = true, 0
		if b.stage != leasePreparing || b.count(func(a leaseAnswer) bool { return a.promised }) < p.terms.quorum {
			return nil
		}
		b.stage, b.sent, b.until = leaseProposing, now, b.patience
		return p.all(leaseEntry{kind: leasePropose, shard: e.shard, ballot: b.ballot, stamp: now})
	case leaseGranted:
		if b.stage == leasePreparing || e.stamp > b.sent {
			return nil // an answer to nothing that was asked
		}
		a.granted = max(a.granted, e.stamp)
		return p.granted(now, e.shard, b)
	case leaseRefused:
		if b.stage == leaseOwning {
			return nil
		}
		a.refused, a.free = true, now+min(e.stamp, p.terms.lease)
		return p.refused(now, e.shard, b)
	}
	return nil
}

// refused gives a ballot up that has too few acceptors left.
func (p *leaseProposer) refused(now time.Duration, shard int, b *leaseBid) []leaseAction {
	left := b.count(func(a leaseAnswer) bool { return !a.refused })
	if b.stage == leaseProposing { // who has promised and refuses has promised more to another
		left = b.count(func(a leaseAnswer) bool { return a.promised && !a.refused })
	}
	if left < p.terms.quorum {
		return p.fail(now, shard, b)
	}
	if b.stage == leasePreparing {
		// When a majority has answered, the others are worth no more time than
		// those who refused, but for a moment.
		b.until = min(b.until, max(p.free(b), now+p.terms.lease/12))
	}
	return nil
}

// granted tells the deadline that a majority's grants allow, if it has moved.
func (p *leaseProposer) granted(now time.Duration, shard int, b *leaseBid) []leaseAction {
	stamps := make([]time.Duration, len(b.answers))
	for i, a := range b.answers {
		stamps[i] = a.granted
	}
	slices.Sort(stamps)
	sent := stamps[len(stamps)-p.terms.quorum]
	deadline := sent + p.terms.hold
	if sent == leaseNever || deadline <= now || b.stage == leaseOwning && deadline <= b.until {
		return nil
	}
	if b.stage == leaseProposing {
		b.stage, b.failures = leaseOwning, 0
		p.renewal = now // so that all hear of it
		p.learner.own(shard, b.ballot)
	}
	b.until = deadline
	return leaseTold(leaseOwner{shard: shard, node: p.terms.self, ballot: b.ballot, deadline: deadline})
}

// fail ends a bid's ballot, owning or not, and says when there is another.
func (p *leaseProposer) fail(now time.Duration, shard int, b *leaseBid) (acts []leaseAction) {
	if b.stage >= leaseProposing {
		acts = p.all(b.release(shard))
	}
	if b.stage == leaseOwning {
		acts = append(acts, p.learner.over(shard, b.ballot)...)
	}
	b.stage = leaseIdle
	b.failures++
	if free := p.free(b); free > now && free < leaseForever {
		b.due = p.later(now, free-now, p.terms.lease/12)
	} else {
		b.due = p.later(now, 0, p.terms.lease/12<<min(b.failures, 2))
	}
	return acts
}

// free is when a majority of those who have answered may say yes.
func (p *leaseProposer) free(b *leaseBid) time.Duration {
	times := make([]time.Duration, len(b.answers))
	for i, a := range b.answers {
		times[i] = a.free
	}
	slices.Sort(times)
	return times[p.terms.quorum-1]
}

// overtaken ends what this node owns if a later ballot's node has owned it.
func (p *leaseProposer) overtaken(now time.Duration, shard int, later leaseBallot) []leaseAction {
	if b := p.bids[shard]; b != nil && b.stage == leaseOwning && later > b.ballot {
		return p.fail(now, shard, b)
	}
	return nil
}

// freed says that a ballot of another node has ended: who refused may promise now.
func (p *leaseProposer) freed(now time.Duration, shard int) {
	b := p.bids[shard]
	switch {
	case b == nil:
	case b.stage == leaseIdle:
		b.due = min(b.due, p.later(now, 0, p.terms.lease/60))
	case b.stage == leasePreparing:
		b.until, b.ask = b.patience, now
		for i := range b.answers {
			if b.answers[i].refused {
				b.answers[i] = leaseAnswer{granted: leaseNever, free: leaseForever}
			}
		}
	}
}

// later is a time from now with a random part, rounded up so that shards stay together
// in one message.
func (p *leaseProposer) later(now, wait, random time.Duration) time.Duration {
	if p.drawn != now || p.luck == 0 {
		p.drawn, p.luck = now, p.terms.chance(1<<16)
	}
	grid := p.terms.lease / 120
	at := now + wait + random*time.Duration(p.luck)>>16
	return (at/grid + 1) * grid
}

func (b *leaseBid) release(shard int) leaseEntry {
	e := leaseEntry{kind: leaseRelease, shard: shard, ballot: b.ballot}
	if b.stage == leaseOwning {
		e.owned = b.ballot
	}
	return e
}

func (b *leaseBid) count(f func(leaseAnswer) bool) (n int) {
	for _, a := range b.answers {
		if f(a) {
			n++
		}
	}
	return n
}
