package backend

import (
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// link is the state of a client's connection, apart from its I/O: it is told
// what happened and says what to do, in order.
//
//	connecting ─up─▶ authenticating ─welcome─▶ ready ─ping─▶ suspect ─pong─▶ ready
//	    ▲                  │                     │ drain        │
//	    │                  │                     ▼              │
//	    │                  │                  draining          │
//	    └──wake── reconnecting ◀─────down────────┴──────────────┘
//
// From anywhere close leads to closed.
type link struct {
	cfg    Config
	newID  func() uint64
	spread func() float64 // in [0, 1), for the back-off
	room   func() int     // how many bytes the connection takes now

	state   State
	queue   []*outgoing // not sent yet, oldest first
	queued  int         // bytes of them
	asked   map[uint64]*outgoing
	due     deadlines // of those that wait for an answer, sent or not
	timed   bool      // a timer is set for them
	ping    uint64    // ID of the ping that is out
	pinged  time.Time
	trip    time.Duration // of the last ping and its pong
	access  time.Time
	heard   time.Time     // when the server last said anything
	minPing time.Duration // the server's
	epoch   uint64        // counts the connections that stood
	leaving bool          // Drain was asked for

	attempts   int // that failed, since it was last ready, and its end
	failures   int // attempts that failed in a row
	reconnects int
	calls      int
	dropped    int
	err        error

	acts []any
}

// outgoing is a message on its way; done, if it is a request, gets its reply once.
type outgoing struct {
	name    string
	id      uint64 // of a request
	encoded []byte // nil: nothing is sent, it only waits for a connection that is good
	always  bool   // a ping that goes however lately the server was heard
	done    func(Reply)

	due            time.Time // by then the answer must have come
	before, behind *outgoing // among deadlines

	epoch    uint64  // the connection that it belongs to, 0 for any
	sentOver *uint64 // gets the connection that it was sent over
	lost     error   // instead of ErrLost
}

// What the link wants done.
type (
	doConnect    struct{}
	doGreet      struct{}
	doRegister   struct{ reconnects int }
	doSend       struct{ out *outgoing }
	doPing       struct{ id uint64 } // and expect the pong within PingWait
	doPingOver   struct{}            // it came, or does not matter any more
	doIdle       struct{ d time.Duration }
	doConsent    struct{ id uint64 } // to the server's wish to close
	doDisconnect struct{}
	doWait       struct{ d time.Duration } // then wake
	doLimit      struct{ d time.Duration } // then see what is overdue
	doAnswer     struct {
		out   *outgoing
		reply Reply
	}
	doDropped struct{ out *outgoing }
	doTell    struct {
		from, to State
		err      error
		wait     time.Duration
	}
	doEnd struct{} // send what was sent to the end, and stop
)

func newLink(cfg Config, newID func() uint64, spread func() float64) *link {
	return &link{cfg: cfg, newID: newID, spread: spread, room: cfg.maxOutput, state: Connecting, asked: map[uint64]*outgoing{}}
}

func (l *link) do(a any) { l.acts = append(l.acts, a) }

func (l *link) take() []any {
	acts := l.acts
	l.acts = nil
	return acts
}

// reuse is for actions that were done: there is hardly ever more than one.
func (l *link) reuse(acts []any) {
	if l.acts == nil && cap(acts) <= 8 {
		clear(acts)
		l.acts = acts[:0]
	}
}

func (l *link) move(to State, err error, wait time.Duration) {
	from := l.state
	l.state = to
	if from != to {
		l.do(doTell{from, to, err, wait})
	}
}

// stands reports whether there is a connection that messages go over.
func (l *link) stands() bool { return l.state == Ready || l.state == Suspect || l.state == Draining }

// up: the network's part is done.
func (l *link) up() []any {
	if l.state != Connecting {
		l.do(doDisconnect{})
		return l.take()
	}
	l.move(Authenticating, nil, 0)
	l.do(doGreet{})
	return l.take()
}

// welcome: both ends know each other. The connection registers, and what waited
// goes out (B29).
func (l *link) welcome(now time.Time, minPing time.Duration) []any {
	if l.state != Authenticating {
		return l.take()
	}
	if l.epoch > 0 {
		l.reconnects++
	}
	l.epoch++
	l.failures = 0
	l.attempts, l.access, l.heard, l.minPing, l.err = 0, now, now, minPing, nil
	l.do(doRegister{l.reconnects})
	l.stand(now)
	l.rest(l.idleEvery())
	return l.take()
}

// stand: the connection is good, and what waits goes out.
func (l *link) stand(now time.Time) {
	l.ping = 0
	to := Ready
	if l.leaving {
		to = Draining
	}
	l.move(to, nil, 0)
	l.flush(now, func(*outgoing) bool { return true })
	l.settle()
}

// settle closes a connection that was told to, once all is answered.
func (l *link) settle() {
	if l.leaving && len(l.queue)+len(l.asked) == 0 && l.state != Closed {
		l.end(nil)
	}
}

// down: the connection broke, or could not be made. What was sent and not
// answered fails; what was not sent waits for the next connection.
func (l *link) down(err error) []any {
	if l.state == Closed || l.state == Reconnecting {
		return l.take()
	}
	if !l.stands() {
		l.failures++
	}
	l.do(doPingOver{})
	l.lose()
	l.ping, l.err = 0, err
	l.failFast()
	d := l.backoff()
	l.attempts++
	l.move(Reconnecting, err, d)
	l.do(doWait{d})
	l.settle()
	return l.take()
}

// refused: the hellos led to nothing. Requests that wait are told, because the next
// attempt will hardly end otherwise.
func (l *link) refused(err error) []any {
	if l.state != Authenticating {
		return l.take()
	}
	l.failWaiting(err)
	return l.giveUp(err)
}

// giveUp ends a connection that is no good any more, before it says so itself.
func (l *link) giveUp(err error) []any {
	l.do(doDisconnect{})
	return l.down(err)
}

// lose fails what was sent and not answered, and what belonged to the connection.
func (l *link) lose() {
	for _, id := range slices.Sorted(maps.Keys(l.asked)) {
		o := l.asked[id]
		delete(l.asked, id)
		err := ErrLost
		if o.lost != nil {
			err = o.lost
		}
		l.answerErr(o, err)
	}
	for _, o := range l.clearQueue() {
		if o.epoch != 0 {
			l.answerErr(o, ErrRolledBack)
		} else {
			l.push(o)
		}
	}
}

// answer is the one way in which a request ends.
func (l *link) answer(o *outgoing, r Reply) {
	l.due.remove(o)
	l.do(doAnswer{o, r})
}

func (l *link) answerErr(o *outgoing, err error) { l.answer(o, Reply{Err: err}) }

// backoff doubles with every attempt, spread by a fifth either way.
func (l *link) backoff() time.Duration {
	d := l.cfg.MaxBackoff
	if n := l.attempts; l.cfg.MinBackoff <= d>>n { // or it would be more, or overflow
		d = l.cfg.MinBackoff << n
	}
	return time.Duration(float64(d) * (0.8 + 0.4*l.spread()))
}

// wake: the wait is over.
func (l *link) wake() []any {
	if l.state == Reconnecting {
		l.move(Connecting, nil, 0)
		l.do(doConnect{})
	}
	return l.take()
}

// frame is what the server sent. ok is false for one that answers nothing we
// asked, or too late.
func (l *link) frame(f filter.Frame, now time.Time) (acts []any, ok bool) {
	l.heard = now
	if f.ReplyTo == legacyPong {
		f.ReplyTo = l.oldestPing()
	}
	switch {
	case f.ReplyTo == 0 && f.Name == evPong:
		return nil, true // nobody waits for it any more
	case f.ReplyTo == 0 && f.Name == evDrain:
		return l.drained(f.ID, now), true
	case f.ReplyTo == 0:
		return nil, false
	case f.ReplyTo == l.ping && l.state == Suspect:
		l.trip = now.Sub(l.pinged)
		l.do(doPingOver{})
		l.stand(now)
		l.rest(l.idleEvery())
	default:
		if o := l.asked[f.ReplyTo]; o != nil {
			delete(l.asked, f.ReplyTo)
			l.answer(o, asReply(f))
			l.settle()
		}
	}
	return l.take(), true
}

// drained: the server is about to close. Requests that were sent are still
// answered, transactions may end; all else waits for the next connection, which
// is made when this one ends, or after a while without it. The server is told when
// nothing new follows: what is on its way to it until then is answered, too.
func (l *link) drained(id uint64, now time.Time) []any {
	if l.state == Ready || l.state == Suspect {
		l.do(doPingOver{})
		l.ping = 0
		l.move(Draining, nil, 0)
		l.flush(now, func(o *outgoing) bool { return o.epoch != 0 })
		l.do(doIdle{l.cfg.DrainTimeout + l.cfg.PingWait})
	}
	if id != 0 {
		l.do(doConsent{id})
	}
	return l.take()
}

// leave: nothing new is taken; the link closes when all is answered.
func (l *link) leave() []any {
	if l.leaving || l.state == Closed {
		return l.take()
	}
	l.leaving = true
	if l.state == Ready {
		l.move(Draining, nil, 0)
	}
	l.settle()
	return l.take()
}

// close ends the link; every request gets its answer.
func (l *link) close(err error) []any {
	if l.state != Closed {
		l.end(err)
	}
	return l.take()
}

func (l *link) end(err error) {
	l.do(doPingOver{})
	l.ping = 0
	l.lose()
	for _, o := range l.clearQueue() {
		l.answerErr(o, ErrClosed)
	}
	l.move(Closed, err, 0)
	l.do(doEnd{})
}
