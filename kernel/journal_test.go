package kernel

import (
	"testing"
	"time"
)

// ticking is a clock that says what it is told, and counts how often it is read.
type ticking struct {
	virtualClock
	at    time.Duration
	reads int
}

func (c *ticking) elapsed() int64 { c.reads++; return int64(c.at) }

// A long handler is timed exactly, and begins when the one before it ended; short
// ones of one event are timed in groups, whose time is right; a nested one exactly.
func TestJournal_Stopwatch(t *testing.T) {
	clk := &ticking{}
	w := stopwatch{k: &Kernel{clock: clk}, idle: true}
	handler := func(name string, takes time.Duration, nested bool) (begin, end time.Duration) {
		begin = w.start(nested)
		clk.at += takes
		return begin, w.stop(name, nested)
	}
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}

	clk.at = time.Second
	for i := range 3 {
		begin, end := handler("long", time.Millisecond, false)
		check("long begins", begin, time.Second+time.Duration(i)*time.Millisecond)
		check("long takes", end-begin, time.Millisecond)
	}
	check("reads", clk.reads, 4) // one before the first, one after each

	clk.reads = 0
	start, last, sum := clk.at, clk.at, time.Duration(0)
	for range 1 + 5*groupSize { // the first shows that they are short
		begin, end := handler("short", 10*time.Nanosecond, false)
		if begin < last {
			t.Errorf("a handler begins at %v, before the last one ended, at %v", begin, last)
		}
		sum, last = sum+end-begin, end
	}
	check("short ones take, together", sum, clk.at-start)
	check("reads", clk.reads, 1+5)

	handler("short", 10*time.Nanosecond, false) // the first of a group
	clk.reads = 0
	_, end := handler("other", 10*time.Nanosecond, false)
	check("another event is timed", end, clk.at)
	begin, end := handler("nested", 10*time.Nanosecond, true)
	check("nested takes", end-begin, 10*time.Nanosecond)
	begin, end = handler("nested", 10*time.Nanosecond, true)
	check("nested takes", end-begin, 10*time.Nanosecond)
	check("reads", clk.reads, 1+2*2)

	clk.at, w.idle = time.Minute, true
	begin, _ = handler("nested", 0, false)
	check("after a rest", begin, time.Minute)
}
