package tcp

import "time"

// link is the state of a client, apart from its I/O: it is told what happened and
// says what to do. It begins as waiting.
//
//	resting ──connect──▶ connecting ──up──▶ linked ──shutdown──▶ parting
//	   ▲                  │   ▲               │                     │
//	   │                failed│wake          lost                  lost
//	   └──shutdown──── waiting ◀──────────────┘     resting ◀───────┘
type link struct {
	policy ReconnectPolicy
	chance func() float64

	state  linkState
	inVain int       // attempts in a row that led to nothing
	since  time.Time // when the connection came up
}

type linkState uint8

const (
	resting linkState = iota
	connecting
	linked
	parting // shut down, but not gone yet
	waiting // for the next attempt
)

func (s linkState) String() string {
	return [...]string{"resting", "connecting", "connected", "shutting down", "waiting"}[s]
}

// linkAct is one thing that the link wants done.
type linkAct struct {
	verb linkVerb
	wait time.Duration
}

type linkVerb uint8

const (
	setAlias linkVerb = iota
	dropAlias
	dial
	stopDial
	hangUp
	flush     // and close
	sleep     // for wait, then wake
	stopSleep // no wake any more
)

func acts(verbs ...linkVerb) []linkAct {
	list := make([]linkAct, len(verbs))
	for i, v := range verbs {
		list[i].verb = v
	}
	return list
}

// connect is Reconnect, Connect and the beginning (C25, C35).
func (l *link) connect() []linkAct {
	was := l.state
	l.state, l.inVain = connecting, 0
	switch was {
	case connecting:
		return acts(setAlias, stopDial, dial)
	case waiting:
		return acts(setAlias, stopSleep, dial)
	case linked, parting:
		return acts(setAlias, hangUp, dial)
	}
	return acts(setAlias, dial)
}

// wake: the wait is over.
func (l *link) wake() []linkAct {
	if l.state != waiting {
		return nil
	}
	l.state = connecting
	return acts(dial)
}

func (l *link) up(now time.Time) { l.state, l.since = linked, now }

// failed: an attempt has. Without another one the alias stays, as in POE, so that
// the program may find the session and try again.
func (l *link) failed() []linkAct {
	if l.state != connecting {
		return nil // the program did something about it already
	}
	return l.again(resting)
}

// lost: the connection has ended and Disconnected was told. useful says that it
// had brought something.
func (l *link) lost(now time.Time, useful bool) []linkAct {
	switch l.state {
	case linked:
		if useful || now.Sub(l.since) >= l.policy.Max {
			l.inVain = 0
		}
		list := l.again(resting)
		if l.state == resting {
			list = acts(dropAlias)
		}
		return list
	case parting:
		l.state = resting
	}
	return nil
}

func (l *link) again(otherwise linkState) []linkAct {
	d, ok := l.policy.wait(l.inVain, l.chance())
	if !ok {
		l.state = otherwise
		return nil
	}
	l.inVain++
	l.state = waiting
	return []linkAct{{sleep, d}}
}

// refuse: PreConnect did not want the connection (C26).
func (l *link) refuse() { l.state = resting }

// shutdown may be said more than once (C34).
func (l *link) shutdown() []linkAct {
	switch l.state {
	case connecting:
		l.state = resting
		return acts(dropAlias, stopDial) // C33
	case waiting:
		l.state = resting
		return acts(dropAlias, stopSleep)
	case linked:
		l.state = parting
		return acts(dropAlias, flush)
	}
	return acts(dropAlias)
}
