package httpclient

import (
	"container/list"
	"maps"
)

// table knows which requests are pending, which of them are under way, and how
// the others ended. It does no input or output.
type table struct {
	max     int // under way at a time; 0 is any number
	pending map[RequestID]*job
	queue   list.List // of *job, pending and not started
	running int       // started, and their goroutine has not ended

	requests uint64
	ended    map[string]uint64 // how many, by their outcome's word
}

func newTable(max int) *table {
	return &table{max: max, pending: map[RequestID]*job{}, ended: map[string]uint64{}}
}

func (t *table) add(j *job) {
	t.requests++
	t.pending[j.id] = j
	j.place = t.queue.PushBack(j)
}

// next returns a request that may start now, or nil.
func (t *table) next() *job {
	first := t.queue.Front()
	if first == nil || t.max > 0 && t.running >= t.max {
		return nil
	}
	j := t.queue.Remove(first).(*job)
	j.place = nil
	t.running++
	return j
}

// finish ends a pending request; true for the first caller only, who has to
// answer it (A45). If it is under way its place stays taken until returned.
func (t *table) finish(j *job, kind error) bool {
	if t.pending[j.id] != j {
		return false
	}
	delete(t.pending, j.id)
	if j.place != nil {
		t.queue.Remove(j.place)
		j.place = nil
	}
	_, word := outcomeOf(kind)
	t.ended[word]++
	return true
}

// returned says that a started request's goroutine has ended.
func (t *table) returned() { t.running-- }

// Stats counts a client's requests.
type Stats struct {
	Requests uint64 // asked for
	Pending  int    // not answered
	Waiting  int    // of these, for Config.MaxRequests
	Running  int    // under way; also what is being given up after its answer

	// Ended says how: "answered", whatever the status, "timeout", "cancelled",
	// "shutdown", "connect", "no answer", "scheme", "parse" or "too large".
	Ended map[string]uint64
}

func (t *table) stats() Stats {
	return Stats{t.requests, len(t.pending), t.queue.Len(), t.running, maps.Clone(t.ended)}
}
