package kerneltest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// seedVariable in the environment replays one seed.
const seedVariable = "USHER_SEED"

func replay(t testing.TB) (seed uint64, ok bool) {
	t.Helper()
	text := os.Getenv(seedVariable)
	if text == "" {
		return 0, false
	}
	seed, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatalf("%s is %q; want the number that a failing test printed", seedVariable, text)
	}
	return seed, true
}

// Seeds runs f as a subtest for each of n seeds, or for the one in USHER_SEED.
func Seeds(t *testing.T, n int, f func(t *testing.T, seed uint64)) {
	t.Helper()
	first, last := uint64(0), uint64(n)
	if seed, ok := replay(t); ok {
		first, last = seed, seed+1
	}
	for seed := first; seed != last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { f(t, seed) })
	}
}
