package kernel

import (
	"sync/atomic"
	"time"
)

// clock is the kernel's only source of time.
type clock interface {
	now() time.Time
	since(start time.Time) time.Duration // now, counted from start: cheaper
	jump(to time.Time) bool              // moves on to a point in time, if time is virtual
}

type realClock struct{}

func (realClock) now() time.Time                      { return time.Now() }
func (realClock) since(start time.Time) time.Duration { return time.Since(start) }
func (realClock) jump(time.Time) bool                 { return false }

// virtualClock stands still until it is moved.
type virtualClock struct {
	start time.Time
	past  atomic.Int64 // ns since start
}

// epoch is when simulated time begins: a date that nobody takes for today.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (v *virtualClock) now() time.Time { return v.start.Add(time.Duration(v.past.Load())) }

func (v *virtualClock) since(start time.Time) time.Duration { return v.now().Sub(start) }

func (v *virtualClock) jump(to time.Time) bool {
	if d := int64(to.Sub(v.start)); d > v.past.Load() {
		v.past.Store(d)
	}
	return true
}

// since is a point in time as the timers count: ns from the kernel's start.
func (k *Kernel) since(t time.Time) int64 { return int64(t.Sub(k.start)) }
