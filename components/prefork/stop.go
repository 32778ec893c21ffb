package prefork

import (
	"fmt"
	"syscall"
	"time"
)

// tick is what happens only with time: a new budget for growth, deadlines, the
// watchdog, good starts, and the surplus. The surplus is not judged at every
// event as growth is: a burst that ends must not cost the workers that the next
// one needs.
func (t *table) tick() {
	t.ramp.interval()
	for i := range t.slots {
		s := &t.slots[i]
		if s.state == StateDead || s.pid == 0 {
			continue
		}
		if t.grown(s) {
			t.prove(s)
		}
		switch {
		case s.killed:
		case !s.killAt.IsZero() && !t.now.Before(s.killAt):
			t.kill(s)
		case s.state != StateStopping && t.silent(s):
			t.abort(s)
		}
	}
	if r := t.reload; r.active && !r.deadline.IsZero() && t.now.After(r.deadline) {
		t.failReload(nil, fmt.Errorf("%w: after %v", t.lateReload(), t.startTimeout))
	}
	if u := t.upgrade; u.active && !u.deadline.IsZero() && t.now.After(u.deadline) {
		t.endUpgrade(fmt.Errorf("%w: after %v", errNotReady, t.startTimeout))
	}
	t.shrink()
	t.recycle()
}

// silent tells whether a worker has shown no life for too long, or was not ready
// in time.
func (t *table) silent(s *slot) bool {
	if s.state == StateStarting && t.startTimeout > 0 && t.now.Sub(s.since) > t.startTimeout {
		return true
	}
	return t.timeout > 0 && t.now.Sub(s.beat) > t.timeout
}

// stop begins the end of the pool, or forces it (P82, P85).
func (t *table) stop(reason error, force bool) {
	if force || t.stopping {
		t.forced = true
	}
	if !t.stopping {
		t.stopping, t.reason = true, reason
	}
	t.failReload(nil, errShuttingDown)
	if t.upgrade.active {
		t.endUpgrade(errShuttingDown)
	}
	for i := range t.slots {
		s := &t.slots[i]
		switch {
		case s.state == StateDead || s.killed:
			continue
		case t.forced || s.state == StateStarting:
			t.terminate(s)
		case s.state == StateIdle || s.state == StateBusy:
			t.retire(s)
		}
		s.asked = true
		t.deadline(s)
	}
}

// retire asks a worker to finish what it has and go.
func (t *table) retire(s *slot) {
	s.state, s.asked = StateDraining, true
	t.do(actRetire, s)
	t.drains(s)
}

// drains begins a worker's last work, which may be limited.
func (t *table) drains(s *slot) {
	if t.drainTimeout > 0 {
		s.killAt = t.now.Add(t.drainTimeout)
	}
}

// terminate ends a worker that cannot be asked: it does not read messages yet,
// or there is no more time. One whose pid is not known yet is ended by started.
func (t *table) terminate(s *slot) {
	switch {
	case s.pid == 0:
		s.state = StateStopping
	case t.forced:
		t.kill(s)
	default:
		t.signal(s, syscall.SIGTERM)
	}
}

// abort ends a worker that does not answer. On SIGABRT the Go runtime prints
// every goroutine's stack and exits, even when no handler can run.
func (t *table) abort(s *slot) {
	late := s.state == StateStarting
	if s.state < StateDraining {
		t.lost(s)
	}
	t.signal(s, syscall.SIGABRT)
	t.deadline(s)
	if s.killAt.IsZero() { // endless patience is for work, not for silence
		s.killAt = t.now.Add(max(t.timeout, time.Second))
	}
	switch {
	case !t.fresh(s):
	case late:
		t.failReload(s, fmt.Errorf("%w: after %v", errNotReady, t.startTimeout))
	default:
		t.failReload(s, errSilent)
	}
}

func (t *table) kill(s *slot) {
	s.killed = true
	t.signal(s, syscall.SIGKILL)
}

func (t *table) signal(s *slot, sig syscall.Signal) {
	s.state = StateStopping
	t.do(actSignal, s)
	t.out[len(t.out)-1].signal = sig
}

// deadline sets when a worker is killed, unless an earlier moment is set.
func (t *table) deadline(s *slot) {
	if t.grace == Unlimited {
		return
	}
	if at := t.now.Add(t.grace); s.killAt.IsZero() || at.Before(s.killAt) {
		s.killAt = at
	}
}
