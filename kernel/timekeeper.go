package kernel

import (
	"runtime"
	"time"
)

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
		k.timers.armed.Store(awake)
	}
}

// fireDue posts what is due and returns how long to wait for the next. Whoever
// sets an earlier one from then on wakes the timekeeper; who did in between is
// seen here.
func (k *Kernel) fireDue() time.Duration {
	t := &k.timers
	for {
		t.firing.Lock()
		k.fire(nil, k.clock.elapsed())
		t.firing.Unlock()
		next := t.next.Load()
		t.armed.Store(next)
		switch {
		case t.next.Load() < next:
		case next == never:
			return time.Hour
		default:
			return time.Duration(next - k.clock.elapsed())
		}
	}
}

// fire posts what is due by now. The lock keeps the order of two timers that are
// due; a session that ended took its own along.
func (k *Kernel) fire(ch *chain, now int64) {
	for {
		s, ev := k.timers.popDue(now)
		if s == nil {
			return
		}
		_ = k.par.post(ch, s, &ev)
	}
}

// glance is what a busy worker does for those that wait for one of the machine's
// threads, of which it has one for itself: it posts the timers that are due, and,
// when all are taken, lets other goroutines run. Without it both wait until the Go
// runtime takes the thread away, which is a matter of 10 ms.
func (w *worker) glance() {
	k := w.p.k
	now := k.clock.elapsed()
	if now >= k.timers.next.Load() && k.timers.firing.TryLock() {
		k.fire(w.ch, now)
		k.timers.firing.Unlock()
	}
	if w.n.Load() > 0 && now-w.sought > int64(seekEvery) {
		w.sought = now
		w.look()
	}
	switch turns := now - w.glanced; {
	case turns < int64(glanceEvery)/2:
		w.stride = min(2*w.stride, maxStride)
	case turns > int64(glanceEvery):
		w.stride = max(w.stride/2, 1)
	}
	w.glanced = now
	if now-w.yielded > int64(glanceEvery) && w.p.parkedN.Load() == 0 && w.p.target >= runtime.GOMAXPROCS(0) {
		w.yielded = now
		runtime.Gosched()
	}
}

// A worker glances up after so many turns that it is about every so long. The most
// is small, because the next turns may be longer than the last.
const (
	glanceEvery = 100 * time.Microsecond
	seekEvery   = 5 * glanceEvery // what a lookout finds comes after all that is queued
	maxStride   = 64
)
