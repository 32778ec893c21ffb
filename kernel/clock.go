package kernel

import (
	"math"
	"sync/atomic"
	"time"
)

// clock is the kernel's only source of time. Timers count in nanoseconds since
// the kernel was made, which is also the cheaper question.
type clock interface {
	now() time.Time
	elapsed() int64
	jump(to int64) bool // moves on to a point in time, if time is virtual
}

type realClock struct{ start time.Time }

func (r realClock) now() time.Time { return time.Now() }
func (r realClock) elapsed() int64 { return int64(time.Since(r.start)) }
func (realClock) jump(int64) bool  { return false }

// virtualClock stands still until it is moved.
type virtualClock struct {
	start time.Time
	past  atomic.Int64
}

// epoch is when simulated time begins: a date that nobody takes for today.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (v *virtualClock) now() time.Time { return v.start.Add(time.Duration(v.past.Load())) }
func (v *virtualClock) elapsed() int64 { return v.past.Load() }

func (v *virtualClock) jump(to int64) bool {
	if to > v.past.Load() {
		v.past.Store(to)
	}
	return true
}

// since is a point in time as the timers count: ns from the kernel's start.
func (k *Kernel) since(t time.Time) int64 { return int64(t.Sub(k.start)) }

// timeOf is the opposite of since. Its wall reading is by today's wall clock.
func (k *Kernel) timeOf(ns int64) time.Time {
	now := k.clock.now()
	return now.Add(time.Duration(later(ns, -k.since(now))))
}

// later adds without running over: what is 292 years away stays there.
func later(t, d int64) int64 {
	sum := t + d
	switch {
	case d > 0 && sum < t:
		return math.MaxInt64
	case d < 0 && sum > t:
		return math.MinInt64
	}
	return sum
}
