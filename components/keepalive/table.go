package keepalive

import (
	"container/list"
	"maps"
	"reflect"
	"slices"
	"time"
)

// table decides what a pool does and does none of it: apply takes what
// happened and returns what to do. It knows no socket and no goroutine, no clock, no
// chance and no soundness but those it is given, and is not safe for use by two at a time.
type table struct {
	cfg    Config // complete
	now    func() time.Time
	chance func() float64    // in [0, 1)
	sound  func(connID) bool // an idle connection still stands, and has nothing to read

	requests map[RequestID]*request // neither answered nor cancelled
	conns    map[connID]*conn       // opening, lent and idle: all that MaxOpen counts
	hosts    map[Key]*host          // those with a connection or a waiting request, and the resting ones
	resting  list.List              // hosts without either, the longest so first
	past     Counters               // of hosts that were forgotten
	turns    []*host                // those with a waiting request, next to be served first
	waiting  int                    // requests, under all hosts
	idle     []*conn                // longest idle first

	timers      map[timerID]timed // running ones
	undelivered map[RequestID]*conn

	lastConn  connID
	lastTimer timerID

	parked *conn    // became idle by this message, not watched yet
	out    []action // of this message
	shut   bool
}

// newTable takes a complete Config.
func newTable(cfg Config, now func() time.Time, chance func() float64) *table {
	return &table{
		cfg:         cfg,
		now:         now,
		chance:      chance,
		sound:       func(connID) bool { return true },
		requests:    map[RequestID]*request{},
		conns:       map[connID]*conn{},
		hosts:       map[Key]*host{},
		timers:      map[timerID]timed{},
		undelivered: map[RequestID]*conn{},
	}
}

// apply returns the actions that m calls for, in order, in a slice that the next
// message overwrites. An error is for the sender of m, and means that nothing
// changed.
//
// The queue is looked through after every message, whatever it was, so that no
// change of capacity can be forgotten (A59, A60).
func (t *table) apply(m message) ([]action, error) {
	clear(t.out)
	t.out = t.out[:0]
	if err := t.take(m); err != nil {
		return nil, err
	}
	t.serveWaiting()
	t.watchParked()
	return t.out, nil
}

func (t *table) take(m message) error {
	switch m := m.(type) {
	case allocate:
		return t.allocate(m)
	case cancel:
		return t.cancel(m)
	case release:
		return t.release(m)
	case dialed:
		return t.dialed(m)
	case dialFailed:
		return t.dialFailed(m)
	case delivered:
		t.settle(t.undelivered[m.req])
	case timeUp:
		t.timeUp(m)
	case readable:
		if c := t.conns[m.conn]; c != nil && c.state == idle { // else lent meanwhile
			t.discard(c, t.agedOr(c, becauseReadable))
		}
	case report:
		t.report(m)
	case shutDown:
		t.shutDown()
	default:
		panic("keepalive: bug: unknown message " + reflect.TypeOf(m).String()) // fmt would have every message on the heap
	}
	return nil
}

func (t *table) do(a action) { t.out = append(t.out, a) }

// shutDown answers what is pending (A105), aborts what is opening (A106) and
// closes what is idle (A107). Lent connections stay until their release
// (A108). A second time there is nothing left to do (A104).
func (t *table) shutDown() {
	t.shut = true
	for _, id := range slices.Sorted(maps.Keys(t.requests)) {
		r := t.requests[id]
		t.leave(r)
		t.refuse(r, "shutdown", ErrShutDown)
	}
	for len(t.idle) > 0 {
		t.discard(t.idle[0], becauseShutDown)
	}
}
