package main

import (
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// watchers make the observers; one more is one more line here, and its budgets in
// observer.go.
var watchers = map[string]func() *kernel.Observer{
	unobserved: func() *kernel.Observer { return nil },
	ringed:     newWatchRing,
}

func init() {
	for peer, watcher := range watchers {
		run := func(mode kernel.Mode, r rings) Runner {
			return func(ops int) (Sample, error) {
				return kernelRings(kernel.Config{Mode: mode, Observer: watcher()}, r, ops)
			}
		}
		observers.register(peer, map[string]Runner{
			"observed-yield":            run(kernel.Parallel, oneYield),
			"observed-yield-serial":     run(kernel.Serial, oneYield),
			"observed-ping-pong":        run(kernel.Parallel, pingPong),
			"observed-ping-pong-serial": run(kernel.Serial, pingPong),
		})
	}
}

// watchRing is the least that a recorder has to do: it remembers the numbers of
// the last events.
type watchRing [1024]atomic.Uint64

func newWatchRing() *kernel.Observer {
	ring := new(watchRing)
	return &kernel.Observer{Posted: ring.record, Began: ring.record, Ended: ring.record}
}

func (w *watchRing) record(r kernel.Record) { w[r.Seq%uint64(len(w))].Store(r.Seq) }
