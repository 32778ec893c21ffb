package kernel

import "time"

// drift is how far the wall clock has moved against the monotonic one since the
// kernel's start, in ns: alarms set by wall time have to know (K109). It is read
// anew for each, because wall clocks are set and computers sleep. But a reading
// is a little low when something comes between its two clocks, and alarms of one
// wall time have to stay in the order in which they were set (K107, K108). So a
// lower reading is taken, which puts later alarms later, and a higher one only
// when it is more than that jitter.
type drift int64

const jitter = drift(time.Millisecond)

// next takes a reading into account.
func (d *drift) next(read func() drift) drift {
	now := read()
	if now < *d-jitter || now > *d+jitter {
		now = max(now, read()) // or was it interrupted between the two clocks?
	}
	if now < *d || now > *d+jitter {
		*d = now
	}
	return *d
}

// at is when an alarm for t is due, in ns from the kernel's start.
func (t *timers) at(at time.Time) int64 {
	k := t.k
	due := k.since(at)
	if at != at.Round(0) { // it has a monotonic reading, and so had since
		return due
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return later(due, -int64(t.wall.next(func() drift {
		now := k.clock.now()
		return drift(now.Round(0).Sub(k.start.Round(0)) - now.Sub(k.start))
	})))
}
