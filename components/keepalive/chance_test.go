package keepalive

import (
	"context"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Simulated runs draw the same numbers, and each pool of a run its own.
func TestChance_Replays(t *testing.T) {
	draw := func() (drawn [2][3]float64) {
		k := kernel.New(kernel.Config{Mode: kernel.Simulated})
		for i := range drawn {
			p := startPool(t, k, Config{})
			defer p.Shutdown()
			if _, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
				next := chance(c)
				for j := range drawn[i] {
					drawn[i][j] = next()
				}
				return nil
			}))); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return drawn
	}
	first := draw()
	if second := draw(); second != first {
		t.Errorf("drew %v, then %v", first, second)
	}
	if first[0] == first[1] {
		t.Errorf("two sessions drew the same: %v", first)
	}
	for _, v := range first[0] {
		if v < 0 || v >= 1 {
			t.Errorf("drew %v; want at least 0 and less than 1", v)
		}
	}
}
