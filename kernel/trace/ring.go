package trace

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// chunkSize slots are written between two visits to the ring's lock.
const chunkSize = 64

// slot is what one write leaves: 120 bytes. It is never changed: how a
// handler ended stands in a later slot, mostly that of the next one to begin.
type slot struct {
	at         time.Duration
	seq, cause uint64
	name       string
	from, to   kernel.Address
	wheel      kernel.WheelID
	order      uint32 // how many notes there were before
	kind       Kind   // 0: nothing but an ending
	via        kernel.Via
	note       *note // of all kinds but Handled
	ended      ending
}

// ending is how the handler of event seq ended.
type ending struct {
	seq uint64
	at  time.Duration
	err *error // nil: without
}

// note is what a record has that is not of a handler.
type note struct {
	detail string
	err    error
	who    string // with Stops: the session's name
}

// chunk is a piece of the ring that one journal writes at a time.
type chunk struct {
	n     atomic.Int32 // slots that are written, for readers
	slots [chunkSize]slot
}

// ring hands out chunks, and takes back those that were full first.
type ring struct {
	mu        sync.Mutex
	keep      int      // slots to keep
	full      []*chunk // oldest first
	open      []*chunk // being written
	resting   []*chunk // partly written, by nobody now
	free      []*chunk
	forgotten uint64 // records in chunks that were used again
}

// take gives a chunk to a writer.
func (r *ring) take() *chunk {
	r.mu.Lock()
	defer r.mu.Unlock()
	var c *chunk
	switch {
	case len(r.resting) > 0:
		c, r.resting = cut(r.resting)
	case len(r.free) > 0:
		c, r.free = cut(r.free)
	default:
		c = new(chunk)
	}
	r.open = append(r.open, c)
	return c
}

// give takes one back, full or not.
func (r *ring) give(c *chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.open, c)
	r.open = slices.Delete(r.open, i, i+1)
	if c.n.Load() < chunkSize {
		r.resting = append(r.resting, c)
		return
	}
	r.full = append(r.full, c)
	for (len(r.full)-1)*chunkSize >= r.keep {
		r.free = append(r.free, r.forget())
	}
}

// forget empties the oldest chunk. Nobody reads it: readers have the lock.
func (r *ring) forget() *chunk {
	c := r.full[0]
	r.full = slices.Delete(r.full, 0, 1)
	for i := range c.slots {
		if c.slots[i].kind != 0 {
			r.forgotten++
		}
	}
	c.n.Store(0)
	return c
}

func cut(list []*chunk) (*chunk, []*chunk) {
	last := len(list) - 1
	return list[last], list[:last]
}

// slots copies what is there, the slots of one writer in order.
func (r *ring) slots() (all []slot, forgotten uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range [][]*chunk{r.full, r.resting, r.open} {
		for _, c := range list {
			all = append(all, c.slots[:c.n.Load()]...)
		}
	}
	return all, r.forgotten
}

// journal is the ring's end on one goroutine. It needs no lock for what it
// writes, and publishes each slot with one store.
type journal struct {
	rec   *Recorder
	c     *chunk
	n     int    // slots of c that are written
	ended ending // not written yet
}

var _ kernel.Journal = (*journal)(nil)

func (j *journal) Began(r *kernel.Record, at time.Duration) {
	s := j.slot()
	s.kind, s.via, s.order = Handled, r.Via, j.rec.notes.Load()
	s.at, s.seq, s.cause = at, r.Seq, r.Cause
	s.name, s.from, s.to, s.wheel = r.Event, r.From, r.To, r.Wheel
	s.note = nil
	j.publish(s)
}

func (j *journal) Ended(seq uint64, at time.Duration, err error) {
	if j.ended.seq != 0 {
		j.flush()
	}
	j.ended.seq, j.ended.at = seq, at
	if err != nil {
		failed := err
		j.ended.err = &failed
	}
}

// Rest leaves nothing unwritten, and the chunk to others.
func (j *journal) Rest() {
	if j.ended.seq != 0 {
		j.flush()
	}
	if j.c != nil {
		j.rec.ring.give(j.c)
		j.c, j.n = nil, 0
	}
}

// flush writes the last ending, which could not go along with a beginning.
func (j *journal) flush() {
	s := j.slot()
	s.kind, s.note = 0, nil
	j.publish(s)
}

// slot is the next to be written.
func (j *journal) slot() *slot {
	if j.n == chunkSize {
		j.rec.ring.give(j.c)
		j.c, j.n = nil, 0
	}
	if j.c == nil {
		j.c = j.rec.ring.take()
		j.n = int(j.c.n.Load())
	}
	return &j.c.slots[j.n]
}

func (j *journal) publish(s *slot) {
	s.ended.seq, s.ended.at, j.ended.seq = j.ended.seq, j.ended.at, 0
	if s.ended.err != j.ended.err {
		s.ended.err, j.ended.err = j.ended.err, nil
	}
	j.n++
	j.c.n.Store(int32(j.n))
}
