package kernel_test

import (
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Who asks is told apart from everybody else who lives, and stays the same when
// the runtime moves its stack.
func TestSelf(t *testing.T) {
	me := kernel.Self()
	if me == 0 {
		t.Fatal("no identity")
	}
	var deeper func(n int) [64]byte
	deeper = func(n int) (b [64]byte) {
		if n > 0 {
			b = deeper(n - 1)
		}
		b[n%64]++
		return b
	}
	deeper(10_000)
	expect(t, "after the stack grew", kernel.Self(), me)

	const others = 100
	ids := make(chan uintptr, others)
	end := make(chan struct{})
	for range others {
		go func() { ids <- kernel.Self(); <-end }()
	}
	seen := map[uintptr]bool{me: true}
	for range others {
		seen[<-ids] = true
	}
	close(end)
	expect(t, "identities", len(seen), others+1)
}
