package kernel_test

import (
	"testing"

	"github.com/usher-go/usher/kernel"
)

func TestKernelChance(t *testing.T) {
	draw := func(m kernel.Mode, seed uint64, who string) uint64 {
		return kernel.New(kernel.Config{Mode: m, Seed: seed}).Chance(who).Uint64()
	}
	first := draw(kernel.Simulated, 1, "#1")
	if again := draw(kernel.Simulated, 1, "#1"); again != first {
		t.Errorf("the same seed gave %d and %d", first, again)
	}
	if draw(kernel.Simulated, 2, "#1") == first || draw(kernel.Simulated, 1, "#2") == first {
		t.Error("another seed, or another session, gave the same number")
	}
	if draw(kernel.Parallel, 1, "#1") == draw(kernel.Parallel, 1, "#1") {
		t.Error("in real time the same number came twice")
	}
}
