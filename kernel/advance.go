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
	if k.cfg.Mode != Simulated {
		panic(fmt.Sprintf("kernel: Advance in %v mode, where time moves by itself; use Simulated", k.cfg.Mode))
	}
	k.loop.token.lock()
	defer k.loop.token.unlock()
	end := k.since(limit)
	if next := k.timers.next.Load(); next <= end && next != never {
		k.clock.jump(next)
		return true
	}
	k.clock.jump(end)
	return false
}
