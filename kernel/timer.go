package kernel

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// TimerID names a timer set by DelaySet or AlarmSet. It is never reused.
type TimerID uint64

// Timer is what a removed timer would have posted, and when.
type Timer struct {
	Event string
	Due   time.Time
	Args  []any
}

// timers is all timers of a kernel in one heap, by due time and then by when
// they were set (K107). The records lie in an arena and name each other by
// index, so that setting and removing one allocates nothing. A timer that has
// fired stays its session's until it is dispatched, and can be removed so long.
type timers struct {
	mu   sync.Mutex
	k    *Kernel
	recs []*[chunk]timerRec
	used int32 // records ever handed out
	free int32 // list of free records, as index+1
	heap []int32
	seq  uint64
	wall drift
	n    atomic.Int64 // set and not yet dispatched or removed
	next atomic.Int64 // when the first is due, or never
	wake chan struct{}

	firing sync.Mutex   // parallel: held while due timers are posted
	armed  atomic.Int64 // parallel: until when the timekeeper sleeps, or awake
}

const (
	never = math.MaxInt64
	awake = math.MinInt64
)

const chunk = 256

type timerRec struct {
	s          *session
	name       string
	a          [2]any
	due        int64
	seq        uint64
	cause      uint64 // with an observer: the event whose handler set it
	made       *site  // Config.Debug
	n          uint32
	gen        uint32
	prev, next int32 // the session's list, as index+1; next is also the free list
	pos        int32 // in the heap; firedPos when it left it
}

const firedPos = -1

func (t *timers) rec(i int32) *timerRec { return &t.recs[i/chunk][i%chunk] }

func (t *timers) pending() int64 { return t.n.Load() }

func timerID(i int32, gen uint32) TimerID { return TimerID(gen)<<32 | TimerID(i+1) }

// find returns the record that id names, if it is s's and not over.
func (t *timers) find(s *session, id TimerID) (int32, *timerRec) {
	i := int32(uint32(id)) - 1
	if i < 0 || i >= t.used {
		return 0, nil
	}
	r := t.rec(i)
	if r.gen != uint32(id>>32) || r.s != s {
		return 0, nil
	}
	return i, r
}

// set adds a timer; the caller is in s's turn.
func (t *timers) set(c *Context, name string, due int64, args []any) TimerID {
	s, made := c.s, c.k.site()
	ev := event{name: name, cause: c.ev.seq}
	ev.setArgs(args)
	t.mu.Lock()
	id, first := t.add(s, &ev, due, made)
	t.mu.Unlock()
	s.hold(HoldTimer, name)
	t.n.Add(1)
	t.k.obs.timer(TimerSet, s, name, id, due, c.ev.seq)
	if first {
		t.alarm(due)
	}
	return id
}

// add makes the record of what is due then, and reports whether it is the first.
func (t *timers) add(s *session, ev *event, due int64, made *site) (id TimerID, first bool) {
	i := t.alloc()
	r := t.rec(i)
	r.s, r.name, r.a, r.n, r.due, r.seq, r.cause = s, ev.name, ev.a, ev.n, due, t.sequence(), ev.cause
	r.made, r.prev, r.next = made, 0, s.timers
	if s.timers != 0 {
		t.rec(s.timers - 1).prev = i + 1
	}
	s.timers = i + 1
	t.push(i)
	t.lead()
	return timerID(i, r.gen), t.heap[0] == i
}

// sequence numbers timers and, in the serial modes, posts together.
func (t *timers) sequence() uint64 {
	if l := t.k.loop; l != nil {
		l.seq++
		return l.seq
	}
	t.seq++
	return t.seq
}

// alarm wakes the timekeeper if it would sleep past a new first timer. Timeouts,
// which are set later and later and removed, seldom wake it.
func (t *timers) alarm(due int64) {
	if t.wake != nil && due < t.armed.Load() {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

func (t *timers) alloc() int32 {
	if t.free != 0 {
		i := t.free - 1
		t.free = t.rec(i).next
		return i
	}
	if int(t.used) == len(t.recs)*chunk {
		t.recs = append(t.recs, new([chunk]timerRec))
	}
	t.used++
	i := t.used - 1
	t.rec(i).gen = 1
	return i
}

// drop is end for a timer that its session removes; cause is what its handler handles.
func (t *timers) drop(i int32, cause uint64) {
	r := t.rec(i)
	t.k.obs.timer(TimerRemoved, r.s, r.name, timerID(i, r.gen), r.due, cause)
	t.end(i)
}

// end takes a record out of the heap and its session's list, and frees it. over
// has to follow.
func (t *timers) end(i int32) {
	r := t.rec(i)
	if r.s != t.k.root {
		t.k.obs.held(r.s, HoldTimer, r.name, false)
	}
	if r.pos != firedPos {
		t.remove(r.pos)
		t.lead()
	}
	if r.prev != 0 {
		t.rec(r.prev - 1).next = r.next
	} else {
		r.s.timers = r.next
	}
	if r.next != 0 {
		t.rec(r.next - 1).prev = r.prev
	}
	gen := r.gen + 1
	*r = timerRec{gen: gen, next: t.free}
	t.free = i + 1
}

// over accounts for n timers of s that ended in its own turn.
func (t *timers) over(s *session, n int) {
	t.n.Add(int64(-n))
	s.holds.Add(int64(-n))
}

// claim turns a fired timer's event into what its session is to get; false when
// it was removed in the meantime (G10).
func (t *timers) claim(s *session, ev *event) bool {
	t.mu.Lock()
	i, r := t.find(s, TimerID(ev.ref))
	if r == nil || r.pos != firedPos {
		t.mu.Unlock()
		return false
	}
	*ev = event{name: r.name, from: s, a: r.a, n: r.n, kind: evPost, via: ViaTimer, cause: r.cause}
	t.end(i)
	t.mu.Unlock()
	t.over(s, 1)
	return true
}

// first tells which timer is next.
func (t *timers) first() (due int64, seq uint64, ok bool) {
	if t.n.Load() == 0 {
		return 0, 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return 0, 0, false
	}
	r := t.rec(t.heap[0])
	return r.due, r.seq, true
}

// after tells when the first timer is due that is not due by now.
func (t *timers) after(now int64) (due int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return 0, false
	}
	if due = t.rec(t.heap[0]).due; due > now {
		return due, due != never
	}
	due = never
	for _, i := range t.heap {
		if at := t.rec(i).due; at > now {
			due = min(due, at)
		}
	}
	return due, due != never
}

// popDue takes the first timer out of the heap if it is due; the event is for
// the session's queue.
func (t *timers) popDue(now int64) (*session, event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return nil, event{}
	}
	i := t.heap[0]
	r := t.rec(i)
	if r.due > now {
		return nil, event{}
	}
	t.remove(0)
	t.lead()
	r.pos = firedPos
	return r.s, event{kind: evTimer, from: r.s, ref: uint64(timerID(i, r.gen))}
}

// each calls f for s's timers; f may end the one it is given.
func (t *timers) each(s *session, f func(i int32, r *timerRec)) {
	for i := s.timers; i != 0; {
		r := t.rec(i - 1)
		next := r.next
		f(i-1, r)
		i = next
	}
}

// clear removes s's timers of a name, and counts them.
func (t *timers) clear(s *session, name string, cause uint64) int {
	if s.timers == 0 {
		return 0
	}
	n := 0
	t.mu.Lock()
	t.each(s, func(i int32, r *timerRec) {
		if r.name == name {
			t.drop(i, cause)
			n++
		}
	})
	t.mu.Unlock()
	t.over(s, n)
	return n
}

// removeAll removes all of s's timers; into, when not nil, gets what they were, in
// the order in which they would have come.
func (t *timers) removeAll(s *session, into *[]Timer, cause uint64) {
	if s.timers == 0 {
		return
	}
	n := 0
	t.mu.Lock()
	if into != nil {
		*into = t.list(s)
	}
	t.each(s, func(i int32, _ *timerRec) {
		t.drop(i, cause)
		n++
	})
	t.mu.Unlock()
	t.over(s, n)
}

func (t *timers) list(s *session) []Timer {
	var order []int32
	t.each(s, func(i int32, _ *timerRec) { order = append(order, i) })
	slices.SortFunc(order, func(a, b int32) int {
		if t.less(a, b) {
			return -1
		}
		return 1
	})
	all := make([]Timer, len(order))
	for n, i := range order {
		all[n] = t.describe(t.rec(i))
	}
	return all
}

func (t *timers) describe(r *timerRec) Timer {
	ev := event{a: r.a, n: r.n}
	return Timer{Event: r.name, Due: t.k.timeOf(r.due), Args: ev.args()}
}
