package keepalive

import (
	"hash/fnv"
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

// chance is a source of numbers in [0, 1): in a simulated kernel the same in
// every run, as the clock and the session's address are.
func chance(c *kernel.Context) func() float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Self()))
	return rand.New(rand.NewPCG(uint64(c.Now().UnixNano()), h.Sum64())).Float64
}
