package keepalive

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// world does what the table's actions say, in the place of sockets, clock and
// users, and keeps its own books of them. What no session could do, or what
// breaks a limit even between two actions, is an error.
type world struct {
	table *table

	allocated   int
	pending     map[RequestID]bool // neither answered nor cancelled
	answers     map[RequestID]int
	fresh       map[RequestID]bool // asked for a new connection
	undelivered map[RequestID]connID
	keys        map[connID]Key // of all that was ever dialed
	dialing     map[connID]bool
	inHand      map[connID]bool // while actions are done: waits for its next place
	lent        map[connID]bool
	watched     map[connID]bool
	timers      map[timerID]time.Duration
	probing     map[connID]bool // dialed while the circuit was not closed, and not given up
	total       Counters
	shut        bool

	now     time.Time // moves only when a test moves it
	chance  float64
	trusted bool // what is sent was checked before
}

func newWorld(cfg Config) *world {
	cfg, err := cfg.complete()
	if err != nil {
		panic(err)
	}
	w := &world{
		now:         time.Unix(1e9, 0).UTC(),
		probing:     map[connID]bool{},
		pending:     map[RequestID]bool{},
		answers:     map[RequestID]int{},
		fresh:       map[RequestID]bool{},
		undelivered: map[RequestID]connID{},
		keys:        map[connID]Key{},
		dialing:     map[connID]bool{},
		inHand:      map[connID]bool{},
		lent:        map[connID]bool{},
		watched:     map[connID]bool{},
		timers:      map[timerID]time.Duration{},
	}
	w.table = newTable(cfg, func() time.Time { return w.now }, func() float64 { return w.chance })
	return w
}

// The passing of time, for the model: it ends one lifetime or cooldown and not
// another, as if chance had set them so.
type (
	ages  struct{ conn connID }
	cools struct{ key Key }
)

func (ages) isMessage()  {}
func (cools) isMessage() {}

func (w *world) pass(m message) bool {
	switch m := m.(type) {
	case ages:
		w.table.conns[m.conn].ends = w.now
	case cools:
		w.table.hosts[m.key].breaker.until = w.now
	case hit:
		w.hit(m)
	case putBack:
		w.putBack(m)
	default:
		return false
	}
	return true
}

// errWorld marks what the table must never do, against what it may refuse.
var errWorld = errors.New("the table broke a rule")

// send passes m to the table and does what it says.
func (w *world) send(m message) ([]action, error) {
	var actions []action
	if !w.pass(m) {
		var err error
		if actions, err = w.table.apply(m); err != nil {
			return nil, err
		}
		w.happened(m)
	}
	for _, a := range actions {
		if wrong := w.perform(a); wrong != "" {
			return actions, fmt.Errorf("%w: %s: %s", errWorld, show(a), wrong)
		}
	}
	if len(w.inHand) > 0 {
		return actions, fmt.Errorf("%w: connections without a place: %v", errWorld, w.inHand)
	}
	if w.trusted {
		return actions, nil
	}
	if wrong := violations(w); len(wrong) > 0 {
		return actions, fmt.Errorf("%w: %s", errWorld, strings.Join(wrong, "; "))
	}
	return actions, nil
}

// happened enters what m itself changes.
func (w *world) happened(m message) {
	switch m := m.(type) {
	case allocate:
		w.allocated++
		w.pending[m.req] = true
		w.fresh[m.req] = m.fresh
	case cancel:
		if w.pending[m.req] {
			w.total.Cancelled++
		}
		delete(w.pending, m.req)
	case delivered:
		delete(w.undelivered, m.req)
	case dialed:
		w.total.Opened++
		delete(w.dialing, m.conn)
		delete(w.probing, m.conn)
		w.inHand[m.conn] = true
	case dialFailed:
		w.total.Failed++
		delete(w.dialing, m.conn)
		delete(w.probing, m.conn)
	case release:
		if w.lent[m.conn] {
			delete(w.lent, m.conn)
			w.inHand[m.conn] = true
		}
		for req, c := range w.undelivered {
			if c == m.conn {
				delete(w.undelivered, req)
			}
		}
	case timeUp:
		delete(w.timers, m.timer)
	case shutDown:
		w.shut = true
	}
}

// perform does one action and returns what is wrong with it.
func (w *world) perform(a action) string {
	switch a := a.(type) {
	case answer:
		if !w.pending[a.req] {
			return "its request is not pending"
		}
		delete(w.pending, a.req)
		w.answers[a.req]++
		if a.err != nil {
			w.refused(a.err)
			return ""
		}
		if a.from != Fresh && w.table.aged(w.table.conns[a.conn]) {
			return "its lifetime is over"
		}
		if a.from != Fresh && w.fresh[a.req] {
			return "its request is for a new one"
		}
		w.total.lent(a.from)
		w.undelivered[a.req] = a.conn
		return w.move(a.conn, w.inHand, w.lent)
	case withdraw:
		if w.undelivered[a.req] != a.conn || !w.lent[a.conn] {
			return "this was delivered or never sent"
		}
		delete(w.undelivered, a.req)
	case dial:
		w.keys[a.conn] = a.key
		w.dialing[a.conn] = true
		if b := w.table.hosts[a.key].breaker; b != nil && b.state != CircuitClosed {
			if b.state == CircuitOpen || b.probe != w.table.requests[a.req] {
				return "the circuit is not closed, and this is not its probe"
			}
			w.probing[a.conn] = true
		}
		return w.overLimit()
	case abortDial:
		if !w.dialing[a.conn] {
			return "it is not being dialed"
		}
		delete(w.probing, a.conn)
	case watch:
		if w.table.aged(w.table.conns[a.conn]) {
			return "its lifetime is over"
		}
		return w.move(a.conn, w.inHand, w.watched)
	case unwatch:
		return w.move(a.conn, w.watched, w.inHand)
	case discard:
		w.total.closed(a.why)
		return w.move(a.conn, w.inHand, map[connID]bool{})
	case startTimer:
		w.timers[a.timer] = a.after
	case stopTimer:
		if _, running := w.timers[a.timer]; !running {
			return "it does not run"
		}
		delete(w.timers, a.timer)
	}
	return ""
}

// refused counts by what the answer says.
func (w *world) refused(err error) {
	r := &w.total.Refused
	switch {
	case errors.Is(err, ErrCircuitOpen):
		r.CircuitOpen++
	case errors.Is(err, ErrTooManyWaiting):
		r.Crowded++
	case errors.Is(err, ErrShutDown):
		r.ShutDown++
	case errors.Is(err, ErrTimeout):
		r.TimedOut++
	default:
		r.Failed++
	}
}

func (w *world) move(c connID, from, to map[connID]bool) string {
	if !from[c] {
		return fmt.Sprintf("the connection is elsewhere: dialing %v, in hand %v, lent %v, watched %v", w.dialing, w.inHand, w.lent, w.watched)
	}
	delete(from, c)
	to[c] = true
	return w.overLimit()
}

// overLimit counts real connections, whatever the table believes.
func (w *world) overLimit() string {
	if w.trusted {
		return ""
	}
	cfg := w.table.cfg
	if n := len(w.dialing) + len(w.inHand) + len(w.lent) + len(w.watched); cfg.MaxOpen != NoLimit && n > cfg.MaxOpen {
		return fmt.Sprintf("%d connections exist, MaxOpen is %d", n, cfg.MaxOpen)
	}
	busy := map[Key]int{}
	for _, set := range []map[connID]bool{w.dialing, w.lent} {
		for c := range set {
			busy[w.keys[c]]++
		}
	}
	for key, n := range busy {
		if cfg.MaxPerHost != NoLimit && n > cfg.MaxPerHost {
			return fmt.Sprintf("%v has %d connections lent or being opened, MaxPerHost is %d", key, n, cfg.MaxPerHost)
		}
	}
	return ""
}

// pool is a world for tests that spell out each step.
type pool struct {
	*testing.T
	*world
}

// newPool has no times unless cfg sets them, so that most tests need no timers.
func newPool(t *testing.T, cfg Config) pool {
	t.Helper()
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = NoLimit
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = NoLimit
	}
	if cfg.MaxLifetime == 0 {
		cfg.MaxLifetime = NoLimit
	}
	return pool{t, newWorld(cfg)}
}

// do sends m and wants exactly these actions.
func (p pool) do(m message, want ...action) {
	p.Helper()
	got, err := p.send(m)
	if err != nil {
		p.Fatalf("%s: %v", show(m), err)
	}
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		p.Fatalf("%s:\n got %s\nwant %s", show(m), showAll(got), showAll(want))
	}
}

// refused sends m and wants it refused for this reason, with no change.
func (p pool) refused(m message, want error) {
	p.Helper()
	before := state(p.world)
	if _, err := p.send(m); !errors.Is(err, want) {
		p.Fatalf("%s: got error %v; want %v", show(m), err, want)
	}
	if after := state(p.world); after != before {
		p.Fatalf("%s was refused but changed\n%s to\n%s", show(m), before, after)
	}
}

// stats wants these numbers.
func (p pool) stats(want Load) {
	p.Helper()
	if got := p.table.stats().Load; got != want {
		p.Fatalf("stats are %+v; want %+v", got, want)
	}
}

func show(v any) string { return fmt.Sprintf("%T%+v", v, v) }

func showAll(list []action) string {
	var s []string
	for _, a := range list {
		s = append(s, show(a))
	}
	return strings.Join(s, ", ")
}

func key(addr string) Key {
	k, err := Key{Scheme: "http", Addr: addr, Port: 80}.complete()
	if err != nil {
		panic(err)
	}
	return k
}

func failed(req RequestID, addr, function string, err error) answer {
	return answer{req: req, err: &Error{Function: function, Key: key(addr), Err: err}}
}
