package clustertest

import (
	"math"
	"time"
)

// clock is a machine's, as a line over the world's time; both count from the
// beginning. It is whole numbers all through: the same seed has to give the same
// nanosecond.
type clock struct {
	from time.Duration // at this time of the world …
	said time.Duration // … it said this
	ppm  int64         // and has run so much faster since, in millionths
}

const million = 1_000_000

// read is what the clock says at a time of the world.
func (c clock) read(world time.Duration) time.Duration {
	d, rate := int64(world-c.from), million+c.ppm
	return c.said + time.Duration(d/million*rate+d%million*rate/million)
}

// when is the first time of the world at which the clock says so, or more.
func (c clock) when(says time.Duration) time.Duration {
	d, rate := int64(says-c.said), million+c.ppm
	switch {
	case d <= 0:
		return c.from
	case d > math.MaxInt64/4: // a timer for never
		return math.MaxInt64
	}
	return c.from + time.Duration(d/rate*million+(d%rate*million+rate-1)/rate)
}
