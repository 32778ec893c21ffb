package kernel

import "runtime"

// linger has a worker that finds nothing to do look out some more times before it
// rests. To rest and be woken costs more than ten looks, and under load the next
// input is a moment away: half a batch of questions is still being written. What
// earlier looks have found pays for it: where they find nothing, because there is
// little to do or what comes wakes somebody first, nobody lingers.
type linger struct{ looks, made int }

const (
	looksPerFind = 2
	maxLooks     = 100
	looksToYield = 16 // after so many, other goroutines have a turn
)

// found notes that a look has woken a source.
func (l *linger) found() { l.looks = min(l.looks+looksPerFind, maxLooks) }

// again reports whether to look once more. Other threads that wait for the processor,
// perhaps those of whom the next input is to come, have it first.
func (l *linger) again() bool {
	if l.looks == 0 {
		return false
	}
	l.looks--
	if l.made++; l.made%looksToYield == 0 {
		runtime.Gosched()
	} else {
		yieldThread()
	}
	return true
}
