package kernel

import "time"

// timekeep posts due timers in parallel mode until quit closes; then it closes
// done. The next Run has to wait for that: two of them would take each other's
// wake-ups.
func (k *Kernel) timekeep(quit <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		next := k.fireDue()
		t.Reset(next)
		select {
		case <-quit:
			return
		case <-t.C:
		case <-k.timers.wake:
		}
	}
}

// fireDue posts what is due and returns how long to wait for the next.
func (k *Kernel) fireDue() time.Duration {
	now := k.since(k.clock.now())
	for {
		s, ev := k.timers.popDue(now)
		if s == nil {
			break
		}
		_ = k.par.post(nil, s, &ev) // a session that ended took its timers along
	}
	if due, _, ok := k.timers.first(); ok {
		return time.Duration(due - k.since(k.clock.now()))
	}
	return time.Hour
}
