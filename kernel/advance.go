package kernel

import (
	"fmt"
	"time"
)

// Advance moves the clock of a simulated kernel on to its next timer, but not
// past limit, and reports whether a timer is due now; if not, the clock stands at
// limit, or where it stood if that is later. It runs nothing: Step does, so that
//
//	for more := true; more; more = k.Advance(limit) {
//		for k.Step() {
//		}
//	}
//
// runs what is due until limit, in order. It panics in the other modes, where
// time moves by itself.
func (k *Kernel) Advance(limit time.Time) bool {
	defer k.movesTime("Advance")()
	end := k.since(limit)
	if next := k.timers.next.Load(); next <= end && next != never {
		k.clock.jump(next)
		return true
	}
	k.clock.jump(end)
	return false
}

// Next says when the clock of a simulated kernel has to move on for a timer to
// come due, past those that are due already and wait for Step; false when there is
// none. With Skip it is for those who drive several kernels in step. It panics in
// the other modes, like Advance.
func (k *Kernel) Next() (due time.Time, ok bool) {
	defer k.movesTime("Next")()
	at, ok := k.timers.after(k.clock.elapsed())
	if !ok {
		return time.Time{}, false
	}
	return k.timeOf(at), true
}

// Skip moves the clock of a simulated kernel to a point in time, whatever comes
// due on the way: Step then finds all of it, in order and late, as a process does
// that was stopped for a while (SIGSTOP). The clock does not go back. Skip panics
// in the other modes, like Advance.
func (k *Kernel) Skip(to time.Time) {
	defer k.movesTime("Skip")()
	k.clock.jump(k.since(to))
}

// movesTime takes the token for a method that only a simulated kernel has.
func (k *Kernel) movesTime(method string) (done func()) {
	if k.cfg.Mode != Simulated {
		panic(fmt.Sprintf("kernel: %s in %v mode, where time moves by itself; use Simulated", method, k.cfg.Mode))
	}
	k.loop.token.lock()
	return k.loop.token.unlock
}
