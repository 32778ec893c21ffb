package main

import (
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

// watchers make the observers; one more is one more line here, and its budgets in
// observer.go.
var watchers = map[string]func() *kernel.Observer{
	unobserved: func() *kernel.Observer { return nil },
	tracer:     func() *kernel.Observer { return trace.NewRecorder(1024).Observer() },
	recordEach: newEachRecord,
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

// eachRecord remembers the numbers of the last events.
type eachRecord [1024]atomic.Uint64

func newEachRecord() *kernel.Observer {
	ring := new(eachRecord)
	return &kernel.Observer{Posted: ring.add, Began: ring.add, Ended: ring.add}
}

func (e *eachRecord) add(r kernel.Record) { e[r.Seq%uint64(len(e))].Store(r.Seq) }
