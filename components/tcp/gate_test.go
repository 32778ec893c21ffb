package tcp

import (
	"math/rand/v2"
	"testing"

	"github.com/usher-go/usher/kernel/kerneltest"
)

// The gate is closed exactly while the limit is reached, whatever happens in
// whatever order, NoLimit included (a bug of POE's, C18), and what it says has the
// wheel in the same state.
func TestC16_C17_C18_C19_Gate(t *testing.T) {
	kerneltest.Seeds(t, 50, func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		g := &gate{limit: NoLimit}
		count, wheelPaused := 0, false
		see := func(m gateMove) {
			switch m {
			case pause:
				wheelPaused = true
			case resume:
				wheelPaused = false
			}
		}
		for range 1000 {
			switch rng.IntN(4) {
			case 0, 1:
				if wheelPaused {
					continue
				}
				see(g.enter())
				count++
			case 2:
				m, ok := g.leave()
				if ok != (count > 0) {
					t.Fatalf("leave with %d connections: %v", count, ok)
				}
				see(m)
				count = max(count-1, 0)
			case 3:
				see(g.allow(rng.IntN(6) + NoLimit))
			}
			full := g.limit != NoLimit && count >= g.limit
			if g.count != count || wheelPaused != full || g.paused != full {
				t.Fatalf("%d connections of %d: the wheel is paused: %v, the gate %+v", count, g.limit, wheelPaused, *g)
			}
		}
		if drain := g.shut(); drain == wheelPaused {
			t.Errorf("shut while paused %v: drain %v", wheelPaused, drain)
		}
		if m := g.allow(0); m != stay {
			t.Errorf("a server that is down is told to %v", m)
		}
	})
}
