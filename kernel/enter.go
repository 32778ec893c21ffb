package kernel

import (
	"context"
	"fmt"
)

// enter gives a goroutine from outside a chain to run handlers on; leave ends
// its stay. Only the serial modes can make it wait, until ctx ends.
func (k *Kernel) enter(ctx context.Context) (ch *chain, leave func(), err error) {
	if k.loop != nil {
		return k.loop.enter(ctx)
	}
	p := k.par
	p.enter()
	ch, _ = k.idleChains.Get().(*chain)
	if ch == nil {
		ch = k.newChain(nil)
	}
	if k.debug != nil {
		ch.gid, ch.self = goroutineID(), self()
	}
	k.calls.register(ch)
	return ch, func() {
		ch.flushAcks()
		ch.rest()
		k.calls.unregister(ch)
		k.idleChains.Put(ch)
		p.leave()
	}, nil
}

// enter waits for the one token. Handlers that run then may leave work to do:
// Run, which may be asleep, has to look again.
func (l *loop) enter(ctx context.Context) (*chain, func(), error) {
	if l.k.cfg.Mode == Simulated && !l.token.tryLock() {
		return nil, nil, fmt.Errorf("%w: a simulated kernel takes calls from the goroutine that runs it only", ErrRunning)
	}
	if l.k.cfg.Mode == Serial {
		if err := l.token.lockContext(ctx); err != nil {
			return nil, nil, err
		}
	}
	l.work++
	live, active := l.k.live.Load(), l.k.active.Load()
	return l.ch, func() {
		wake := l.order.n > 0 || len(l.marked) > 0 || l.timerBefore(l.asleep) ||
			l.k.live.Load() < live || l.k.active.Load() < active
		l.ch.rest()
		l.token.unlock()
		if wake {
			l.wakeUp()
		}
	}, nil
}

// timerBefore reports whether a timer is due before a point in time.
func (l *loop) timerBefore(t int64) bool {
	due, _, ok := l.k.timers.first()
	return ok && due < t
}
