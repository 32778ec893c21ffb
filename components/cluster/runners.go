package cluster

import "sync/atomic"

// maxIdle is how many goroutines wait for the next call: their stacks have grown.
const maxIdle = 64

// runners are goroutines that run one call after the other.
type runners struct {
	jobs  chan func()
	idle  atomic.Int64
	ended chan struct{}
}

func newRunners() runners {
	return runners{jobs: make(chan func()), ended: make(chan struct{})}
}

// run has f run on another goroutine, at once.
func (r *runners) run(f func()) {
	select {
	case r.jobs <- f:
	default:
		go r.work(f)
	}
}

func (r *runners) work(f func()) {
	for {
		f()
		if r.idle.Add(1) > maxIdle {
			r.idle.Add(-1)
			return
		}
		select {
		case f = <-r.jobs:
			r.idle.Add(-1)
		case <-r.ended:
			return
		}
	}
}

// end lets idle ones go.
func (r *runners) end() { close(r.ended) }
