//go:build unix

package prefork

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock translates times to a count that all processes of one machine share.
// Wall time would not do: a step of it would make every worker look silent to
// the watchdog at once. Package time hides the shared monotonic count, so it is
// read once, and later times are counted from there without a system call.
type clock struct {
	base  time.Time
	count int64 // CLOCK_MONOTONIC at base, in ns
}

func newClock() (clock, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return clock{}, err
	}
	return clock{time.Now(), ts.Nano()}, nil
}

// encode gives 0 for the zero time.
func (c clock) encode(at time.Time) uint64 {
	if at.IsZero() {
		return 0
	}
	return uint64(c.count + int64(at.Sub(c.base)))
}

// decode gives a time whose differences do not depend on the wall clock.
func (c clock) decode(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return c.base.Add(time.Duration(int64(n) - c.count))
}
