package wheel

import (
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// waiter is one direction of a wheel, as its port knows it. waits is set before the
// port is tried, so that no call of ready is missed.
type waiter struct {
	src   *kernel.Source
	waits atomic.Bool // nothing can be done until the port says so
}

// ready is the port's call, from any goroutine.
func (w *waiter) ready() { w.wake((*kernel.Source).Wake) }

// wake is ready for those who have a quicker way to wake a source. A nil waiter does
// not wait.
func (w *waiter) wake(wake func(*kernel.Source)) {
	if w != nil && w.waits.Load() && w.waits.Swap(false) {
		wake(w.src)
	}
}
