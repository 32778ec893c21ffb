package backend

import (
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// link is the state of a client's connection, apart from its I/O: it is told
// what happened and says what to do.
//
//	connecting ──up──▶ ready ──ping due──▶ suspect ──pong──▶ ready
//	    ▲                │                    │
//	    └──wake── waiting ◀──────down─────────┘
type link struct {
	cfg    Config
	newID  func() uint64
	spread func() float64 // in [0, 1), for the back-off

	state    linkState
	queue    []*outgoing // not sent yet, oldest first
	asked    map[uint64]*outgoing
	ping     uint64 // ID of the ping that is out
	access   time.Time
	attempts int
	stood    bool // it was up before

	reconnects int
	calls      int
}

type linkState uint8

const (
	connecting linkState = iota
	ready
	suspect // a ping is out: what comes meanwhile waits for the pong
	waiting // for the next attempt
	shut
)

func (s linkState) String() string {
	return [...]string{"connecting", "ready", "suspect", "reconnecting", "closed"}[s]
}

// outgoing is a message on its way; done, if it is a request, gets its reply once.
type outgoing struct {
	name    string
	id      uint64 // of a request
	encoded []byte
	done    func(Reply)
	timer   kernel.TimerID // the session's
}

// What the link wants done, in order.
type (
	doConnect    struct{}
	doRegister   struct{ reconnects int }
	doSend       struct{ out *outgoing }
	doPing       struct{ id uint64 } // and expect the pong within PingWait
	doPingOver   struct{}            // it came, or does not matter any more
	doDisconnect struct{}
	doWait       struct{ d time.Duration } // then wake
	doAnswer     struct {
		out   *outgoing
		reply Reply
	}
	doEnd struct{} // send what was sent to the end, and stop
)

func newLink(cfg Config, newID func() uint64, spread func() float64) *link {
	return &link{cfg: cfg, newID: newID, spread: spread, asked: map[uint64]*outgoing{}}
}

// submit takes a message. With ErrFull or ErrClosed nothing happened.
func (l *link) submit(o *outgoing, now time.Time) ([]any, error) {
	switch {
	case l.state == shut:
		return nil, ErrClosed
	case len(l.queue) >= l.cfg.MaxQueued:
		return nil, ErrFull
	}
	due := o.name != cmdPing && l.pingDue(now)
	l.access = now // B11
	l.queue = append(l.queue, o)
	switch {
	case l.state != ready:
		return nil, nil
	case due:
		l.state, l.ping = suspect, l.newID()
		return []any{doPing{l.ping}}, nil
	}
	return l.flush(), nil
}

// pingDue is the policy of B9 and B10.
func (l *link) pingDue(now time.Time) bool {
	switch t := l.cfg.PingTimeout; {
	case t < 0:
		return false
	case t == 0:
		return true
	default:
		return now.Sub(l.access) >= t
	}
}

func (l *link) flush() []any {
	acts := make([]any, 0, len(l.queue))
	for _, o := range l.queue {
		if o.done != nil {
			l.asked[o.id] = o
			l.calls++
		}
		acts = append(acts, doSend{o})
	}
	l.queue = nil
	return acts
}

// up: the connection stands. It registers, and what waited goes out (B29).
func (l *link) up(now time.Time) []any {
	if l.state == shut {
		return []any{doDisconnect{}}
	}
	if l.stood {
		l.reconnects++
	}
	l.state, l.attempts, l.access, l.stood = ready, 0, now, true
	return append([]any{doRegister{l.reconnects}}, l.flush()...)
}

// down: the connection broke, or could not be made. What was sent and not
// answered fails; what was not sent waits for the next connection.
func (l *link) down() []any {
	if l.state == shut {
		return nil
	}
	acts := append([]any{doPingOver{}}, l.lose()...)
	l.state, l.ping = waiting, 0
	d := l.backoff()
	l.attempts++
	return append(acts, doWait{d})
}

// lose fails what was sent and not answered.
func (l *link) lose() (acts []any) {
	for _, id := range slices.Sorted(maps.Keys(l.asked)) {
		acts = append(acts, doAnswer{l.asked[id], Reply{Err: ErrLost}})
	}
	clear(l.asked)
	return acts
}

// backoff doubles with every attempt, spread by a fifth either way.
func (l *link) backoff() time.Duration {
	d := l.cfg.MaxBackoff
	if n := l.attempts; n < 30 {
		d = min(d, l.cfg.MinBackoff<<n)
	}
	return time.Duration(float64(d) * (0.8 + 0.4*l.spread()))
}

// wake: the wait is over.
func (l *link) wake() []any {
	if l.state != waiting {
		return nil
	}
	l.state = connecting
	return []any{doConnect{}}
}

// frame is an answer from the server. ok is false for one that answers nothing
// we asked, or too late.
func (l *link) frame(f filter.Frame) (acts []any, ok bool) {
	if f.ReplyTo == 0 {
		return nil, false
	}
	if f.ReplyTo == l.ping && l.state == suspect {
		l.state, l.ping = ready, 0
		return append([]any{doPingOver{}}, l.flush()...), true
	}
	o := l.asked[f.ReplyTo]
	if o == nil {
		return nil, true
	}
	delete(l.asked, f.ReplyTo)
	return []any{doAnswer{o, asReply(f)}}, true
}

// noPong: the ping was not answered in time (B13).
func (l *link) noPong() []any {
	if l.state != suspect {
		return nil
	}
	return l.giveUp()
}

// giveUp ends a connection that is no good any more, before it says so itself.
func (l *link) giveUp() []any { return append([]any{doDisconnect{}}, l.down()...) }

// late: a request's time is over, wherever it is.
func (l *link) late(o *outgoing) []any { return l.fail(o, ErrTimeout) }

// full: the connection does not take o, and may well take others.
func (l *link) full(o *outgoing) []any { return l.fail(o, ErrFull) }

func (l *link) fail(o *outgoing, err error) []any {
	if l.asked[o.id] == o {
		delete(l.asked, o.id)
		return []any{doAnswer{o, Reply{Err: err}}}
	}
	if i := slices.Index(l.queue, o); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		return []any{doAnswer{o, Reply{Err: err}}}
	}
	return nil // answered before
}

// close ends the link; every request gets its answer.
func (l *link) close() []any {
	if l.state == shut {
		return nil
	}
	l.state = shut
	acts := append([]any{doPingOver{}}, l.lose()...)
	for _, o := range l.queue {
		if o.done != nil {
			acts = append(acts, doAnswer{o, Reply{Err: ErrClosed}})
		}
	}
	l.queue = nil
	return append(acts, doEnd{})
}
