package kernel

import "fmt"

// enter gives a goroutine from outside a chain to run handlers on; leave ends
// its stay.
func (k *Kernel) enter() (ch *chain, leave func(), err error) {
	if l := k.loop; l != nil {
		if k.cfg.Mode == Simulated && l.token.busy() {
			return nil, nil, fmt.Errorf("%w: a simulated kernel takes calls from the goroutine that runs it only", ErrRunning)
		}
		l.token.lock()
		return l.ch, l.token.unlock, nil
	}
	p := k.par
	p.enter()
	ch, _ = k.idleChains.Get().(*chain)
	if ch == nil {
		ch = k.newChain(nil)
	}
	k.calls.register(ch)
	return ch, func() {
		ch.flushAcks()
		k.calls.unregister(ch)
		k.idleChains.Put(ch)
		p.leave()
	}, nil
}
