package backend

import (
	"time"

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
	spread func() float64 // in [0, 1), for the back-off

	state    linkState
	queue    []*outgoing // not sent yet, oldest first
	asked    map[uint64]*outgoing
	lastID   uint64
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
	frame filter.Frame
	done  func(Reply)
}

// What the link wants done, in order.
type (
	doConnect    struct{}
	doDisconnect struct{}
	doSend       struct{ frame filter.Frame }
	doPing       struct{ frame filter.Frame } // and expect the pong within PingWait
	doPingOver   struct{}                     // it came, or does not matter any more
	doWait       struct{ d time.Duration }    // then wake
	doAnswer     struct {
		out   *outgoing
		reply Reply
	}
)

func newLink(cfg Config, spread func() float64) *link {
	return &link{cfg: cfg, spread: spread, asked: map[uint64]*outgoing{}}
}

// submit takes a message. With ErrFull or ErrClosed nothing happened.
func (l *link) submit(o *outgoing, now time.Time) ([]any, error) {
	switch {
	case l.state == shut:
		return nil, ErrClosed
	case len(l.queue) >= l.cfg.MaxQueued:
		return nil, ErrFull
	}
	if o.done != nil {
		l.lastID++
		o.frame.ID = l.lastID
	}
	due := l.pingDue(now)
	l.access = now // B11
	l.queue = append(l.queue, o)
	switch {
	case l.state != ready:
		return nil, nil
	case due:
		l.state = suspect
		l.lastID++
		l.ping = l.lastID
		return []any{doPing{filter.Frame{Name: cmdPing, Args: []any{now}, ID: l.ping}}}, nil
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
			l.asked[o.frame.ID] = o
			l.calls++
		}
		acts = append(acts, doSend{o.frame})
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
	register := doSend{filter.Frame{Name: cmdRegister, Args: []any{l.cfg.Name, l.reconnects}}}
	return append([]any{register}, l.flush()...)
}

// down: the connection broke, or could not be made. What was sent and not
// answered fails; what was not sent waits for the next connection.
func (l *link) down() []any {
	if l.state == shut {
		return nil
	}
	acts := []any{doPingOver{}}
	for id, o := range l.asked {
		acts = append(acts, doAnswer{o, Reply{Err: ErrLost}})
		delete(l.asked, id)
	}
	l.state, l.ping = waiting, 0
	d := l.backoff()
	l.attempts++
	return append(acts, doWait{d})
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

// noPong: the ping was not answered in time; the connection is given up (B13).
func (l *link) noPong() []any {
	if l.state != suspect {
		return nil
	}
	return append([]any{doDisconnect{}}, l.down()...)
}

// late: a request's time is over, wherever it is.
func (l *link) late(o *outgoing) []any {
	if l.asked[o.frame.ID] == o {
		delete(l.asked, o.frame.ID)
		return []any{doAnswer{o, Reply{Err: ErrTimeout}}}
	}
	for i, q := range l.queue {
		if q == o {
			l.queue = append(l.queue[:i:i], l.queue[i+1:]...)
			return []any{doAnswer{o, Reply{Err: ErrTimeout}}}
		}
	}
	return nil // answered before
}

// close ends the link; every request gets its answer.
func (l *link) close() []any {
	if l.state == shut {
		return nil
	}
	l.state = shut
	acts := []any{doPingOver{}}
	for _, o := range l.asked {
		acts = append(acts, doAnswer{o, Reply{Err: ErrLost}})
	}
	for _, o := range l.queue {
		if o.done != nil {
			acts = append(acts, doAnswer{o, Reply{Err: ErrClosed}})
		}
	}
	l.asked, l.queue = map[uint64]*outgoing{}, nil
	return append(acts, doDisconnect{})
}
