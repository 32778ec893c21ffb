package backend

import "time"

// pingDue is the policy of B9 and B10, within what the server puts up with.
func (l *link) pingDue(now time.Time) bool {
	if l.recent(now) {
		return false
	}
	switch t := l.cfg.PingTimeout; {
	case t < 0:
		return false
	case t == 0:
		return true
	default:
		return now.Sub(l.access) >= t
	}
}

// recent: the server has been heard from within the time in which it wants no
// second ping, which is as good as a pong.
func (l *link) recent(now time.Time) bool { return now.Sub(l.heard) < l.minPing }

func (l *link) sendPing(now time.Time) {
	l.ping, l.pinged = l.newID(), now
	l.move(Suspect, nil, 0)
	l.do(doPing{l.ping})
}

// idleEvery is how long a connection may be silent before it is pinged; 0 for ever.
func (l *link) idleEvery() time.Duration {
	if l.cfg.IdlePing < 0 {
		return 0
	}
	return max(l.cfg.IdlePing, l.minPing)
}

func (l *link) rest(d time.Duration) {
	if d > 0 {
		l.do(doIdle{d})
	}
}

// idle: it is time to look whether the server is still there, or, when it drains,
// to go without its word.
func (l *link) idle(now time.Time) []any {
	switch {
	case l.state == Draining && !l.leaving:
		return l.giveUp(ErrTimeout)
	case l.state != Ready || l.idleEvery() == 0: // the timer was for the end of Draining
		return nil // after the pong, or on the next connection
	}
	if left := l.idleEvery() - now.Sub(l.heard); left > 0 {
		l.rest(left)
	} else {
		l.sendPing(now)
	}
	return l.take()
}

// noPong: the ping was not answered in time (B13).
func (l *link) noPong() []any {
	if l.state != Suspect {
		return nil
	}
	return l.giveUp(ErrTimeout)
}

// oldestPing is the one that a pong answers which does not say so.
func (l *link) oldestPing() uint64 {
	oldest := l.ping
	for id, o := range l.asked {
		if o.name == cmdPing && (oldest == 0 || id < oldest) {
			oldest = id
		}
	}
	return oldest
}
