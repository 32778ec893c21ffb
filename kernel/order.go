package kernel

import "math/rand/v2"

// order decides which queued event is next: the oldest (serial) or a seeded
// choice among those that may be (simulated). It is a switch and not an
// interface, because through an interface every event would be allocated.
type order struct {
	fifo   fifo
	seeded *seeded
}

func (o *order) push(p *posted) {
	if o.seeded != nil {
		o.seeded.push(p)
		return
	}
	o.fifo.push(p)
}

func (o *order) pop(p *posted) {
	if o.seeded != nil {
		o.seeded.pop(p)
		return
	}
	o.fifo.pop(p)
}

// head tells the age of what pop will give.
func (o *order) head() (due int64, seq uint64) {
	if o.seeded != nil {
		return o.seeded.head()
	}
	return o.fifo.head()
}

func (o *order) len() int {
	if o.seeded != nil {
		return o.seeded.n
	}
	return o.fifo.n
}

// fifo is POE's order: the oldest event of all (K51).
type fifo struct {
	q queue[posted]
	n int
}

func (f *fifo) push(p *posted) { f.q.push(p); f.n++ }
func (f *fifo) pop(p *posted)  { f.q.pop(p); f.n-- }
func (f *fifo) head() (int64, uint64) {
	p := &f.q.head.ev[f.q.head.r]
	return p.due, p.seq
}

// seeded chooses, by its seed, among the oldest events of every pair of sender
// and receiver: any order that G2 permits can come out, and the same seed gives
// the same one again.
type seeded struct {
	rng    *rand.Rand
	pairs  map[pair]*pairQueue
	active []*pairQueue // those that are not empty, and in the map
	free   []*pairQueue // those that are, for the next pair
	n      int
	next   int // the choice that head announced; -1 when none is made
}

type pair struct{ from, to *session }

type pairQueue struct {
	of pair
	q  queue[posted]
}

// maxFree queues are kept for reuse, so that a steady exchange allocates nothing.
const maxFree = 256

func newSeeded(seed uint64) *seeded {
	return &seeded{rng: rand.New(rand.NewPCG(seed, 0)), pairs: make(map[pair]*pairQueue), next: -1}
}

func (o *seeded) push(p *posted) {
	key := pair{p.ev.from, p.to}
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
	pq.q.push(p)
	o.n++
}

func (o *seeded) head() (int64, uint64) {
	if o.next < 0 {
		o.next = o.rng.IntN(len(o.active))
	}
	q := &o.active[o.next].q
	p := &q.head.ev[q.head.r]
	return p.due, p.seq
}

func (o *seeded) pop(p *posted) {
	o.head()
	i := o.next
	o.next = -1
	pq := o.active[i]
	pq.q.pop(p)
	o.n--
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
