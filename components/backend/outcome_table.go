package backend

import (
	"strconv"
	"strings"
	"time"
)

// outcomes are what a server remembers of transactions that ended. It is plain
// data; the server's session has one.
type outcomes struct {
	instance string // of the server: what another one did is not known
	since    time.Time
	life     time.Duration // how long one is remembered, from its beginning on
	of       map[string]Outcome
	done     pastTxs
	fenced   pastTxs       // nobody's asking has those forgotten that must not be done
	lost     time.Duration // after since: what was committed by then may be forgotten
}

// pastTxs are transactions that ended, oldest first.
type pastTxs []pastTx

type pastTx struct {
	id string
	at time.Time
}

// outcomeLife is how long an outcome is known, counted from the latest time at
// which it can have come about: maxOutcomes of each kind at most.
const (
	outcomeLife = time.Minute
	maxOutcomes = 4096
)

func newOutcomes(instance string, txTimeout time.Duration, now time.Time) *outcomes {
	return &outcomes{instance: instance, since: now, life: txTimeout + outcomeLife, of: map[string]Outcome{}, lost: -1}
}

// token says which server a transaction began at, and when: by a clock that nobody
// sets.
func (m *outcomes) token(now time.Time) string {
	return m.instance + "." + strconv.FormatInt(int64(now.Sub(m.since)), 36)
}

// decide records how a transaction ends, unless that is known: what is known
// stays, and is returned.
func (m *outcomes) decide(id string, o Outcome, now time.Time) Outcome {
	m.forget(now)
	if past, known := m.of[id]; known {
		return past
	}
	m.of[id] = o
	list := &m.done
	if o == RolledBack {
		list = &m.fenced
	}
	*list = append(*list, pastTx{id, now})
	return o
}

// forget drops what is old or too much.
func (m *outcomes) forget(now time.Time) {
	if last, some := m.trim(&m.done, now); some {
		m.lost = last.Sub(m.since)
	}
	m.trim(&m.fenced, now)
}

// trim returns when the last of those that it dropped ended.
func (m *outcomes) trim(list *pastTxs, now time.Time) (last time.Time, some bool) {
	n := 0
	for _, p := range *list {
		if now.Sub(p.at) < m.life && len(*list)-n < maxOutcomes {
			break
		}
		delete(m.of, p.id)
		last = p.at
		n++
	}
	*list = (*list)[n:]
	return last, n > 0
}

// ask says what became of a transaction that began as its token says, and makes
// sure that it stays so. What was committed before it began is none of its.
func (m *outcomes) ask(id, token string, now time.Time) Outcome {
	m.forget(now)
	if past, known := m.of[id]; known {
		return past
	}
	instance, at, _ := strings.Cut(token, ".")
	began, err := strconv.ParseInt(at, 36, 64)
	if err != nil || instance != m.instance || time.Duration(began) <= m.lost {
		return Unknown // or it may have been forgotten
	}
	return m.decide(id, RolledBack, now)
}
