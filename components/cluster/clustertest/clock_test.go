package clustertest

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// when is the very first nanosecond at which a clock has come to a time, for any rate.
func TestClock_WhenIsFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		c := clock{
			from: time.Duration(rng.Int64N(int64(time.Hour))),
			said: time.Duration(rng.Int64N(int64(time.Hour))),
			ppm:  rng.Int64N(million+1) - million/2,
		}
		says := c.said + time.Duration(1+rng.Int64N(int64(time.Hour)>>rng.IntN(40)))
		at := c.when(says)
		if c.read(at) < says || c.read(at-1) >= says {
			t.Fatalf("%+v says %d at %d, and %d a nanosecond before; want %d first", c, c.read(at), at, c.read(at-1), says)
		}
	}
	slow := clock{ppm: -million / 2}
	if got := slow.when(math.MaxInt64); got != math.MaxInt64 {
		t.Errorf("never comes at %v", got)
	}
}
