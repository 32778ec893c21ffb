package kernel

import "sync/atomic"

// Lookout finds out, without waiting, which wheels have something to do, and calls
// wake for each of them.
type Lookout func(wake func(*Source)) (found bool)

var lookout atomic.Pointer[Lookout]

// SetLookout has kernels look out before they have nothing left to do, and now and
// then while they have. It is for those who write wheels, one for the whole process:
// what waits for the operating system calls Source.Wake all the same; a lookout spares
// it the way through the scheduler when there is much to do. nil ends it.
func SetLookout(f Lookout) {
	if f == nil {
		lookout.Store(nil)
		return
	}
	lookout.Store(&f)
}

// look is the worker's: it wakes sessions into its own queue.
func (w *worker) look() bool {
	f := lookout.Load()
	return f != nil && (*f)(w.wake)
}

func (w *worker) wakeSource(src *Source) {
	if src.s.k.par == w.p {
		src.wake(w.ch)
	} else {
		src.Wake()
	}
}
