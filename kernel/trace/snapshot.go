package trace

import (
	"cmp"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Snapshot is what a Recorder had at one moment. Its methods change nothing.
type Snapshot struct {
	Records   []Record // oldest first; a handler stands where it began
	Forgotten uint64   // how many older ones the recorder did not keep

	start time.Time                 // when the kernel was made
	names map[kernel.Address]string // those that differ from the address
	bySeq map[uint64]int            // handlers in Records
}

// Snapshot copies what there is. In parallel mode the order of handlers on
// different cores is that of their times, and good to a microsecond.
func (r *Recorder) Snapshot() *Snapshot {
	slots, forgotten := r.ring.slots()
	slices.SortStableFunc(slots, inOrder)
	s := &Snapshot{Forgotten: forgotten, start: r.began(), names: make(map[kernel.Address]string), bySeq: make(map[uint64]int)}
	over := -r.size
	for i := range slots {
		if slots[i].kind != 0 {
			over++
		}
	}
	latest := s.fill(slots, max(over, 0))
	s.settle(slots, latest)
	for i := range s.Records {
		s.name(r, s.Records[i].To)
		s.name(r, s.Records[i].From)
	}
	return s
}

// inOrder compares slots of one writer as they were written, those of several by
// their notes, and between those by time.
func inOrder(a, b slot) int {
	switch x, y := a.kind == Handled, b.kind == Handled; {
	case a.order != b.order:
		return cmp.Compare(a.order, b.order)
	case x && y:
		return cmp.Compare(a.at, b.at)
	case x:
		return 1
	case y:
		return -1
	}
	return 0
}

// began is when the kernel was made.
func (r *Recorder) began() time.Time {
	if start := r.start.Load(); start != nil {
		return *start
	}
	return time.Time{}
}

// fill makes records of slots, but for the first few, and returns the latest time.
func (s *Snapshot) fill(slots []slot, skip int) (latest time.Duration) {
	var began time.Duration
	for i := range slots {
		sl := &slots[i]
		latest = max(latest, sl.ended.at)
		switch sl.kind {
		case 0:
			continue
		case Handled:
			began = sl.at
			latest = max(latest, began)
		default:
			sl.at = began // notes know no time: when the last handler began will do
		}
		if skip > 0 {
			skip--
			s.Forgotten++
			continue
		}
		if sl.kind == Handled {
			s.bySeq[sl.seq] = len(s.Records)
		}
		s.Records = append(s.Records, s.record(sl))
	}
	return latest
}

func (s *Snapshot) record(sl *slot) Record {
	r := Record{
		Kind: sl.kind, Seq: sl.seq, Cause: sl.cause, At: s.start.Add(sl.at), Name: sl.name,
		From: sl.from, To: sl.to, Via: sl.via, Wheel: sl.wheel, Running: sl.kind == Handled,
	}
	if n := sl.note; n != nil {
		r.Detail, r.Err = n.detail, n.err
		if n.who != "" {
			s.names[sl.to] = n.who
		}
	}
	return r
}

// settle notes how handlers ended; the others run, as far as is known until latest.
func (s *Snapshot) settle(slots []slot, latest time.Duration) {
	for i := range slots {
		e := &slots[i].ended
		if at, ok := s.bySeq[e.seq]; ok {
			r := &s.Records[at]
			r.Running, r.Took = false, e.at-r.At.Sub(s.start)
			if e.err != nil {
				r.Err = *e.err
			}
		}
	}
	for i := range s.Records {
		if r := &s.Records[i]; r.Running {
			r.Took = latest - r.At.Sub(s.start)
		}
	}
}

func (s *Snapshot) name(r *Recorder, a kernel.Address) {
	if _, known := s.names[a]; a != "" && !known {
		if n := r.names.Of(a); n != string(a) {
			s.names[a] = n
		}
	}
}

// Name is a session as people know it: "#7 (agent, logger)", with the aliases
// that it has, or had when it stopped; the empty address is "kernel".
func (s *Snapshot) Name(a kernel.Address) string {
	if n, ok := s.names[a]; ok {
		return n
	}
	return a.String()
}

// Find returns the handler of an event, if it is recorded.
func (s *Snapshot) Find(seq uint64) (Record, bool) {
	i, ok := s.bySeq[seq]
	if !ok {
		return Record{}, false
	}
	return s.Records[i], true
}
