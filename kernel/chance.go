package kernel

import (
	"hash/fnv"
	"math/rand/v2"
)

// Chance returns a source of random numbers for who, such as a session's address: for
// delays that are not to be the same everywhere. In simulated mode it depends on
// Config.Seed and who alone, and gives the same numbers in every run; otherwise nobody
// can foretell it. It is not safe for use by several goroutines, nor for secrets.
func (k *Kernel) Chance(who string) rand.Source {
	if k.cfg.Mode != Simulated {
		return rand.NewPCG(rand.Uint64(), rand.Uint64())
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(who))
	return rand.NewPCG(k.cfg.Seed, h.Sum64())
}
