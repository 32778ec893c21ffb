package kernel

import "sync"

// Segments grow from small to segMax, so that an idle session costs little and
// a flood neither copies nor returns memory while it lasts.
const (
	segMin = 2
	segMax = 64
)

var eventSegments sync.Pool // shared by the sessions of a process

// queue is an unbounded FIFO of values in chained segments. Nothing is ever
// moved after it was pushed: a doubling slice copies its tail and faults in
// fresh pages exactly when a flood leaves no time for it.
//
// The zero value is empty. It is not safe for concurrent use.
type queue[T any] struct {
	head, tail *segment[T]
	spare      *sync.Pool // full-size segments; set by the owner, may be nil
}

type segment[T any] struct {
	next *segment[T]
	r, w int
	ev   []T
}

func (q *queue[T]) empty() bool { return q.head == nil || q.head.r == q.head.w }

// push copies *v to the end.
func (q *queue[T]) push(v *T) { *q.next() = *v }

// next adds a zero value at the end, for the caller to fill in. On the event
// path this matters: a value built elsewhere field by field and copied at once
// stalls the processor, which cannot forward narrow stores to wide loads.
func (q *queue[T]) next() *T {
	t := q.tail
	if t == nil || t.w == len(t.ev) {
		t = q.grow()
	}
	v := &t.ev[t.w]
	t.w++
	return v
}

func (q *queue[T]) grow() *segment[T] {
	t := q.tail
	size := segMin
	if t != nil {
		size = min(2*len(t.ev), segMax)
	}
	var s *segment[T]
	if size == segMax && q.spare != nil {
		s, _ = q.spare.Get().(*segment[T])
	}
	if s == nil {
		s = &segment[T]{ev: make([]T, size)}
	}
	if t == nil {
		q.head = s
	} else {
		t.next = s
	}
	q.tail = s
	return s
}

// first returns the oldest value, where it lies; the queue must not be empty.
func (q *queue[T]) first() *T { return &q.head.ev[q.head.r] }

// drop removes the oldest value. Its place is cleared, so that what an event
// referred to can be collected (K55).
func (q *queue[T]) drop() {
	h := q.head
	var zero T
	h.ev[h.r] = zero
	h.r++
	if h.r == h.w {
		q.exhausted(h)
	}
}

// exhausted is drop's rest when the first segment is empty.
func (q *queue[T]) exhausted(h *segment[T]) {
	if h.next != nil {
		q.head = h.next
		q.recycle(h)
		return
	}
	h.r, h.w = 0, 0 // keep the last segment: its memory is warm
}

// pop moves the oldest value to *v.
func (q *queue[T]) pop(v *T) {
	*v = *q.first()
	q.drop()
}

// prepend moves all of front ahead of what is here.
func (q *queue[T]) prepend(front *queue[T]) {
	if front.empty() {
		return
	}
	front.tail.next = q.head
	if q.head == nil {
		q.tail = front.tail
	}
	q.head = front.head
	front.head, front.tail = nil, nil
}

func (q *queue[T]) recycle(s *segment[T]) {
	s.next, s.r, s.w = nil, 0, 0
	if len(s.ev) == segMax && q.spare != nil {
		q.spare.Put(s)
	}
}
