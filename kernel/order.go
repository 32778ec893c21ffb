package kernel

import "math/rand/v2"

// order decides which queued event is next: the oldest of all, which is POE's way
// (K51), or, simulated, a seeded choice among those that may be. It is a switch
// and not an interface, because through an interface every event would be
// allocated. loop.place and loop.begin write the switch out: a function with two
// calls in it is not inlined, and the serial modes are mostly these two.
type order struct {
	n      int // events queued
	q      queue[posted]
	seeded *seeded
}

// next adds a zero entry for an event between two sessions.
func (o *order) next(from, to *session) *posted {
	o.n++
	if o.seeded != nil {
		return o.seeded.next(from, to)
	}
	return o.q.next()
}

// first is the entry whose turn it is, until drop; there must be one.
func (o *order) first() *posted {
	if o.seeded != nil {
		return o.seeded.first()
	}
	return o.q.first()
}

func (o *order) drop() {
	o.n--
	if o.seeded != nil {
		o.seeded.drop()
		return
	}
	o.q.drop()
}

// reconsider follows a timer, which went before the first entry: what its
// handler posts is to choose from, too.
func (o *order) reconsider() {
	if o.seeded != nil {
		o.seeded.chosen = -1
	}
}

// putBack returns events that were taken out and not handled: ahead of those of
// their sender and receiver that are still here.
func (o *order) putBack(kept *fifo) {
	o.n += kept.n
	kept.n = 0
	if o.seeded != nil {
		o.seeded.putBack(&kept.q)
		return
	}
	o.q.prepend(&kept.q)
}

// fifo is events kept aside, in order.
type fifo struct {
	q queue[posted]
	n int
}

func (f *fifo) add(p *posted) {
	f.q.push(p)
	f.n++
}

// seeded chooses, by its seed, among the oldest events of every pair of sender
// and receiver: any order that G2 permits can come out, and the same seed gives
// the same one again.
type seeded struct {
	rng    *rand.Rand
	pairs  map[pair]*pairQueue
	active []*pairQueue // those that are not empty, and in the map
	free   []*pairQueue // those that are, for the next pair
	chosen int          // of active, by first; -1 when none is
}

type pair struct{ from, to *session }

type pairQueue struct {
	of pair
	q  queue[posted]
}

// maxFree queues are kept for reuse, so that a steady exchange allocates nothing.
const maxFree = 256

func newSeeded(seed uint64) *seeded {
	return &seeded{rng: rand.New(rand.NewPCG(seed, 0)), pairs: make(map[pair]*pairQueue), chosen: -1}
}

func (o *seeded) next(from, to *session) *posted {
	return o.queueOf(pair{from, to}).q.next()
}

func (o *seeded) putBack(kept *queue[posted]) {
	early := newSeeded(0) // sorts them by pair
	for p := new(posted); !kept.empty(); {
		kept.pop(p)
		*early.next(p.ev.from, p.to) = *p
	}
	for _, pq := range early.active {
		o.queueOf(pq.of).q.prepend(&pq.q)
	}
}

func (o *seeded) queueOf(key pair) *pairQueue {
	pq := o.pairs[key]
	if pq == nil {
		if n := len(o.free); n > 0 {
			pq, o.free = o.free[n-1], o.free[:n-1]
		} else {
			pq = new(pairQueue)
		}
		pq.of = key
		o.pairs[key] = pq
		o.active = append(o.active, pq)
	}
	return pq
}

func (o *seeded) first() *posted {
	if o.chosen < 0 {
		o.chosen = o.rng.IntN(len(o.active))
	}
	return o.active[o.chosen].q.first()
}

func (o *seeded) drop() {
	o.first()
	i := o.chosen
	o.chosen = -1
	pq := o.active[i]
	pq.q.drop()
	if pq.q.empty() {
		last := len(o.active) - 1
		o.active[i] = o.active[last]
		o.active = o.active[:last]
		delete(o.pairs, pq.of) // sessions end: an empty queue must not keep its pair
		pq.of = pair{}
		if len(o.free) < maxFree {
			o.free = append(o.free, pq)
		}
	}
}
