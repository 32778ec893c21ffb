package kernel

import "sync/atomic"

// Lookout finds out, without waiting, which wheels have something to do, and calls
// wake for each of them.
type Lookout func(wake func(*Source)) (found bool)

var lookout atomic.Pointer[Lookout]

// SetLookout has kernels look out before they have nothing left to do, and now and
// then while they have. It is for those who write wheels, one for the whole process:
// what waits for the operating system calls Source.Wake all the same; a lookout spares
// it the way through the scheduler when there is much to do. In parallel mode a worker
// whose lookouts have found something looks some times more before it rests. nil ends it.
func SetLookout(f Lookout) {
	if f == nil {
		lookout.Store(nil)
		return
	}
	lookout.Store(&f)
}

// WakeAll is Wake for each of them, at less cost when many have something to do. It
// does not keep the slice, but changes it.
func WakeAll(sources []*Source) {
	for len(sources) > 0 {
		k, n := sources[0].s.k, 1
		for n < len(sources) && sources[n].s.k == k {
			n++
		}
		rest := sources[:n]
		if k.par != nil {
			rest = k.par.rouse(rest)
		}
		for _, src := range rest {
			src.Wake()
		}
		sources = sources[n:]
	}
}

// rouse wakes the sources whose sessions are idle, and returns the others. As in wake,
// a session is flagged and queued under the lock; of the workers one is woken, which
// wakes the next when it finds more than its share.
func (p *parallel) rouse(sources []*Source) (busy []*Source) {
	busy = sources[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, src := range sources {
		if src.rouse() {
			p.inject.push(src.s)
		} else {
			busy = append(busy, src)
		}
	}
	p.injectN.Store(int32(p.inject.len()))
	if p.parked > 0 && p.inject.len() > 0 {
		p.cond.Signal()
	}
	return busy
}

// look is the worker's: it wakes sessions into its own queue.
func (w *worker) look() bool {
	f := lookout.Load()
	if f == nil {
		return false
	}
	w.looking = true
	some := (*f)(w.wake)
	w.looking = false
	if n := w.found.len(); n > 0 {
		w.putAll(&w.found, n)
		if w.p.parkedN.Load() > 0 {
			w.p.wakeOne()
		}
	}
	return some
}

func (w *worker) wakeSource(src *Source) {
	w.linger.found()
	if src.s.k.par == w.p {
		src.wake(w.ch)
	} else {
		src.Wake()
	}
}
