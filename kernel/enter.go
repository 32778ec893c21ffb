package kernel

import (
	"context"
	"fmt"
)

// stay is that of a goroutine from outside, which runs handlers on a chain.
type stay struct {
	k  *Kernel
	ch *chain

	live, active int64 // of a serial kernel, when it began
}

// enter begins a stay. Only the serial modes can make it wait, until ctx ends.
func (k *Kernel) enter(ctx context.Context) (stay, error) {
	if k.loop != nil {
		return k.loop.enter(ctx)
	}
	k.par.enter()
	ch, _ := k.idleChains.Get().(*chain)
	if ch == nil {
		ch = k.newChain(nil)
	}
	if k.debug != nil {
		ch.gid, ch.self = goroutineID(), self()
	}
	k.calls.register(ch)
	return stay{k: k, ch: ch}, nil
}

// leave ends it.
func (v *stay) leave() {
	k, ch := v.k, v.ch
	if k.loop != nil {
		k.loop.leaveCall(v)
		return
	}
	ch.flushAcks()
	ch.rest()
	k.calls.unregister(ch)
	k.idleChains.Put(ch)
	k.par.leave()
}

// enter waits for the one token.
func (l *loop) enter(ctx context.Context) (stay, error) {
	if l.k.cfg.Mode == Simulated && !l.token.tryLock() {
		return stay{}, fmt.Errorf("%w: a simulated kernel takes calls from the goroutine that runs it only", ErrRunning)
	}
	if l.k.cfg.Mode == Serial {
		if err := l.token.lockContext(ctx); err != nil {
			return stay{}, err
		}
	}
	l.work++
	return stay{k: l.k, ch: l.ch, live: l.k.live.Load(), active: l.k.active.Load()}, nil
}

// leaveCall has Run, which may be asleep, look again if there is something to do.
func (l *loop) leaveCall(v *stay) {
	wake := l.order.n > 0 || len(l.marked) > 0 || l.timerBefore(l.asleep) ||
		l.k.live.Load() < v.live || l.k.active.Load() < v.active
	l.ch.rest()
	l.token.unlock()
	if wake {
		l.wakeUp()
	}
}

// timerBefore reports whether a timer is due before a point in time.
func (l *loop) timerBefore(t int64) bool {
	due, _, ok := l.k.timers.first()
	return ok && due < t
}
