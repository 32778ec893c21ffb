package main

import (
	"sync/atomic"
	"time"
)

// afterFunc is package time alone, a timer's function doing next to nothing.
const afterFunc = "AfterFunc"

// timers is what a timer costs, from a handler, where there are handlers.
var timers = &Group{
	Name:  "timers",
	About: "what timers cost, beside time.AfterFunc",
	Peers: []string{usher, usherSerial, afterFunc},
	Rows: []*Row{
		// Set one and remove it.
		{Name: "timer-set", Unit: "timer", Budgets: setBudgets},
		// The same among many that are outstanding, at places all over them.
		{Name: "timer-set-many", Unit: "timer", Many: true, Budgets: setBudgets},
		// Set many: the time for each, and the memory that each takes until it fires.
		{Name: "timer-outstanding", Unit: "timer", Many: true, Figures: []Figure{Time, Kept}, Budgets: []Budget{
			{Peer: usher, Figure: Kept, Limit: 128},
			{Peer: usherSerial, Figure: Kept, Limit: 128},
		}},
		// Many are set for the same moment: from then until the last has fired, in
		// one session.
		{Name: "timer-fire", Unit: "timer", Many: true, Budgets: []Budget{
			{Peer: usher, Limit: 1, Against: afterFunc, Stretch: true},
			{Peer: usherSerial, Limit: 1, Against: afterFunc, Stretch: true},
			{Peer: usher, Figure: Allocs},
			{Peer: usherSerial, Figure: Allocs},
		}},
	},
}

var setBudgets = perEvent(
	Budget{Peer: usher, Limit: 1, Against: afterFunc},
	Budget{Peer: usherSerial, Limit: 1, Against: afterFunc},
)

// later is when the i-th timer is due. As i runs, those of many spread over an
// hour in no order: 7919 is a prime, and many seldom a multiple of it.
func later(i int) time.Duration {
	return time.Hour + time.Duration(i*7919%many)*(time.Hour/time.Duration(many))
}

// volley is timers that are due at one moment.
type volley struct {
	due, ended time.Time
	left       atomic.Int64
	done       chan struct{} // closed by the last
}

// load sets n timers for a moment when all of them are set. It finds out how long
// that takes by setting them for later, and takes those back.
func (v *volley) load(n int, set func(d time.Duration), clear func()) {
	begun := time.Now()
	for i := range n {
		set(later(i))
	}
	clear()
	v.left.Store(int64(n))
	v.done = make(chan struct{})
	v.due = time.Now().Add(2*time.Since(begun) + 10*time.Millisecond)
	for range n {
		set(time.Until(v.due))
	}
}

func (v *volley) fired() {
	if v.left.Add(-1) == 0 {
		v.ended = time.Now()
		close(v.done)
	}
}

// fire waits for the last; the time that counts begins when they are due.
func (v *volley) fire(n int) Sample {
	s := measure(n, func() { <-v.done })
	s.Elapsed = v.ended.Sub(v.due)
	return s
}
