package kernel_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// ready are sources whose turn somebody has to ask for.
type ready struct {
	mu   sync.Mutex
	list []*kernel.Source
}

func (r *ready) add(src *kernel.Source) {
	r.mu.Lock()
	r.list = append(r.list, src)
	r.mu.Unlock()
}

func (r *ready) take() []*kernel.Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.list
	r.list = nil
	return list
}

// lookout wakes them, for as long as the test runs.
func (r *ready) lookout(t *testing.T) {
	t.Helper()
	kernel.SetLookout(func(wake func(*kernel.Source)) bool {
		list := r.take()
		for _, src := range list {
			wake(src)
		}
		return len(list) > 0
	})
	t.Cleanup(func() { kernel.SetLookout(nil) })
}

// watching is a session with one source, which closes when turn returns false.
func watching(turn func(src *kernel.Source) bool, made func(src *kernel.Source)) table {
	return table{"_start": func(c *kernel.Context) error {
		var src *kernel.Source
		src = c.NewSource("test", func(*kernel.Context) {
			if !turn(src) {
				src.Close()
			}
		}, nil)
		src.Watch(true)
		made(src)
		return nil
	}}
}

// takers are n sessions, each of which is to take so many turns and asks for each in
// the one before, for the first when it starts.
func takers(k *fixture, n, turns int, ask func(*kernel.Source)) (taken []int) {
	taken = make([]int, n)
	for i := range n {
		k.spawn(watching(func(src *kernel.Source) bool {
			taken[i]++
			if taken[i] < turns {
				ask(src)
			}
			return taken[i] < turns
		}, ask))
	}
	return taken
}

func TestParallel_LookoutGivesATurnForEachWake(t *testing.T) {
	const sessions, turns = 200, 50
	for _, n := range []int{1, 2, 8} {
		var r ready
		r.lookout(t)
		k := boot(t, kernel.Parallel, workers(n))
		taken := takers(k, sessions, turns, r.add)
		k.run()
		expect(t, "most turns", slices.Max(taken), turns)
		expect(t, "fewest turns", slices.Min(taken), turns)
	}
}

// What one lookout has found does not wait for the first of them to return.
func TestParallel_LookoutThenBlocked(t *testing.T) {
	const sessions = 20
	for _, n := range []int{1, 2} {
		var r ready
		r.lookout(t)
		var first sync.Once
		var others sync.WaitGroup
		others.Add(sessions - 1)
		k := boot(t, kernel.Parallel, workers(n))
		for range sessions {
			k.spawn(watching(func(*kernel.Source) bool {
				blocks := false
				first.Do(func() { blocks = true })
				if blocks {
					others.Wait()
				} else {
					others.Done()
				}
				return false
			}, r.add))
		}
		k.run()
	}
}

// WakeAll wakes the sources of several kernels, idle or not, from any goroutine.
func TestWakeAll_GivesATurnForEachWake(t *testing.T) {
	const sessions, turns = 50, 50
	asks := make(chan *kernel.Source, 4*sessions)
	ask := func(src *kernel.Source) { asks <- src }
	go func() {
		var batch []*kernel.Source
		for src := range asks {
			if batch = append(batch, src); len(asks) == 0 || len(batch) == sessions {
				kernel.WakeAll(batch)
				batch = batch[:0]
			}
		}
	}()
	var kernels []*fixture
	var taken [][]int
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Parallel} {
		k := boot(t, m)
		kernels, taken = append(kernels, k), append(taken, takers(k, sessions, turns, ask))
	}
	var all sync.WaitGroup
	for _, k := range kernels {
		all.Go(func() {
			if err := k.Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(asks)
	for _, k := range kernels {
		k.clean()
	}
	expect(t, "most turns", slices.Max(slices.Concat(taken...)), turns)
	expect(t, "fewest turns", slices.Min(slices.Concat(taken...)), turns)
}
