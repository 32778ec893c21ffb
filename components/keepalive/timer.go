package keepalive

import "time"

// timed is what a timer is for: a request's time, its time in the queue, or a
// connection's idle time.
type timed struct {
	request *request
	waiting *request
	conn    *conn
}

func (t *table) start(after time.Duration, of timed) timerID {
	t.lastTimer++
	t.timers[t.lastTimer] = of
	t.do(startTimer{t.lastTimer, after})
	return t.lastTimer
}

// stop does nothing to a timer that has run out, or to 0.
func (t *table) stop(id timerID) {
	if _, running := t.timers[id]; running {
		delete(t.timers, id)
		t.do(stopTimer{id})
	}
}

// timeUp ends a request wherever it stands (A77, A78) or an idle connection
// (A96). A timer that was stopped too late to be silent is not known any more.
func (t *table) timeUp(m timeUp) {
	of := t.timers[m.timer]
	delete(t.timers, m.timer)
	switch {
	case of.request != nil:
		r := of.request
		if r.dial != nil {
			t.openingFailed(r, "connect", ErrTimeout)
		}
		t.leave(r)
		t.refuse(r, "connect", ErrTimeout) // A42: the same at each stage
	case of.waiting != nil:
		t.leave(of.waiting)
		t.refuse(of.waiting, "wait", &passed{stageLimit{"WaitTimeout", t.cfg.WaitTimeout}})
	case of.conn != nil:
		t.discard(of.conn, t.agedOr(of.conn, becauseExpired))
	}
}
