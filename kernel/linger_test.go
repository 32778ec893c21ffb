package kernel_test

import (
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// counted is ready.lookout that counts how often it was asked.
func (r *ready) counted(t *testing.T) (looks *atomic.Int64) {
	t.Helper()
	looks = new(atomic.Int64)
	kernel.SetLookout(func(wake func(*kernel.Source)) bool {
		looks.Add(1)
		list := r.take()
		for _, src := range list {
			wake(src)
		}
		return len(list) > 0
	})
	t.Cleanup(func() { kernel.SetLookout(nil) })
	return looks
}

// Whoever is woken by others, because looks come too early, rests at once.
func TestLinger_NotWithoutFinds(t *testing.T) {
	const turns = 200
	var r ready
	looks := r.counted(t)
	k := boot(t, kernel.Parallel, workers(1))
	next := make(chan *kernel.Source, 1)
	go func() {
		for src := range next {
			src.Wake()
		}
	}()
	takers(k, 1, turns, func(src *kernel.Source) { next <- src })
	k.run()
	close(next)
	if most := int64(turns + 20); looks.Load() > most {
		t.Errorf("looked out %d times in %d turns, want %d at most", looks.Load(), turns, most)
	}
}
