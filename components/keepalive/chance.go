package keepalive

import (
	"math/rand/v2"
	"time"

	"github.com/usher-go/usher/kernel"
)

// jitter is by which part of it, at most, chance shortens a time, so that what
// began together does not end together.
const jitter = 0.1

// shortened takes a part of up to jitter off d; chance is in [0, 1).
func shortened(d time.Duration, chance float64) time.Duration {
	return d - time.Duration(float64(d)*jitter*chance)
}

// chance is a source of numbers in [0, 1).
func chance(c *kernel.Context) func() float64 {
	return rand.New(c.Kernel().Chance(string(c.Self()))).Float64
}
