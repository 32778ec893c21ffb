package keepalive

import "time"

// action is one thing to do. The actions of one message are done in order.
type action interface{ isAction() }

type (
	// answer posts the one reply of a request: a connection, or the error.
	answer struct {
		req  RequestID
		conn connID
		from From
		err  error
	}

	// withdraw takes back an answer that was not delivered yet. The connection
	// stays lent: look at it as if its user had returned it, then release it.
	withdraw struct {
		req  RequestID
		conn connID
	}

	// dial looks the key's name up and opens a connection, TLS included; dialed
	// or dialFailed follows. abortDial ends it early.
	dial struct {
		conn connID
		req  RequestID
		key  Key
	}
	abortDial struct{ conn connID }

	// watch waits until an idle connection has something to read; readable
	// follows. unwatch ends that before the connection is lent or closed, so
	// that never two parties read it (A97, R8).
	watch   struct{ conn connID }
	unwatch struct{ conn connID }

	// discard closes a connection.
	discard struct {
		conn connID
		why  reason
	}

	// startTimer asks for one timeUp, after the given time. stopTimer ends
	// that; a timeUp already on its way is ignored.
	startTimer struct {
		timer timerID
		after time.Duration
	}
	stopTimer struct{ timer timerID }
)

func (answer) isAction()     {}
func (withdraw) isAction()   {}
func (dial) isAction()       {}
func (abortDial) isAction()  {}
func (watch) isAction()      {}
func (unwatch) isAction()    {}
func (discard) isAction()    {}
func (startTimer) isAction() {}
func (stopTimer) isAction()  {}

// reason says why a connection is discarded.
type reason int

const (
	becauseClosed   reason = iota // came back closed
	becauseUnread                 // came back with unread input: close abortively (A91)
	becauseReadable               // had input or its end while idle (A95)
	becauseExpired                // was idle for Config.KeepAlive (A96)
	becauseAged                   // reached the end of its lifetime (Config.MaxLifetime)
	becauseEvicted                // made room for a new one (A66)
	becauseShutDown               // the pool is shut down (A107, A108)
)

// String names the reason in a word, for traces.
func (r reason) String() string {
	switch r {
	case becauseClosed:
		return "closed"
	case becauseUnread:
		return "unread"
	case becauseReadable:
		return "readable"
	case becauseExpired:
		return "expired"
	case becauseAged:
		return "aged"
	case becauseEvicted:
		return "evicted"
	}
	return "shutdown"
}
