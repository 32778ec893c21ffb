package backend

import (
	"strconv"
	"strings"
	"time"
)

// outcomes are what a server remembers of transactions that ended. It is plain
// data; the server's session has one.
type outcomes struct {
	instance string        // of the server: what another one did is not known
	life     time.Duration // how long one is remembered, from its beginning on
	of       map[string]Outcome
	order    []pastTx // oldest first
	lost     time.Time
}

type pastTx struct {
	id string
	at time.Time
}

// outcomeLife is how long an outcome is known, counted from the latest time at
// which it can have come about: maxOutcomes of them at most.
const (
	outcomeLife = time.Minute
	maxOutcomes = 4096
)

func newOutcomes(instance string, txTimeout time.Duration) *outcomes {
	return &outcomes{instance: instance, life: txTimeout + outcomeLife, of: map[string]Outcome{}}
}

// token says which server a transaction began at, and when.
func (m *outcomes) token(now time.Time) string {
	return m.instance + "." + strconv.FormatInt(now.UnixMilli(), 36)
}

// decide records how a transaction ends, unless that is known: what is known
// stays, and is returned.
func (m *outcomes) decide(id string, o Outcome, now time.Time) Outcome {
	m.forget(now)
	if past, known := m.of[id]; known {
		return past
	}
	m.of[id] = o
	m.order = append(m.order, pastTx{id, now})
	return o
}

// forget drops what is old, and, with a note of it, what is too much.
func (m *outcomes) forget(now time.Time) {
	n := 0
	for _, p := range m.order {
		old := now.Sub(p.at) >= m.life
		if !old && len(m.order)-n < maxOutcomes {
			break
		}
		if !old {
			m.lost = now
		}
		delete(m.of, p.id)
		n++
	}
	m.order = m.order[n:]
}

// ask says what became of a transaction that began as its token says, and makes
// sure that it stays so.
func (m *outcomes) ask(id, token string, now time.Time) Outcome {
	m.forget(now)
	if past, known := m.of[id]; known {
		return past
	}
	instance, at, _ := strings.Cut(token, ".")
	began, err := strconv.ParseInt(at, 36, 64)
	switch {
	case err != nil || instance != m.instance:
		return Unknown
	case now.Sub(time.UnixMilli(began)) >= m.life:
		return Unknown // it may have been forgotten
	case !m.lost.IsZero() && now.Sub(m.lost) < m.life:
		return Unknown // likewise
	}
	return m.decide(id, RolledBack, now)
}
