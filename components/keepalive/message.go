package keepalive

import "time"

// RequestID names one request. IDs are above zero and unique in the process,
// over all pools (A29).
type RequestID uint64

// The table counts these up from 1 and never uses one twice, so that a late
// message cannot be taken for one about a newer thing.
type (
	connID  uint64
	timerID uint64
)

// message is one thing that happened and that the table has to know of.
type message interface{ isMessage() }

// What users ask for.
type (
	// allocate asks for a connection. The ID comes from outside because it is
	// unique over all pools. Timeout is as in Config, 0 meaning the pool's.
	allocate struct {
		req     RequestID
		key     Key
		timeout time.Duration
	}

	// delivered says that the requester has the answer of req in hand, so
	// that it can be withdrawn no more. Wanted for answers with a connection,
	// before the requester can use it; a release says the same.
	delivered struct{ req RequestID }

	// cancel ends a request without an answer.
	cancel struct{ req RequestID }

	// release gives a lent connection back.
	release struct {
		conn connID
		as   condition
	}

	// report says how a connection of key served its user.
	report struct {
		key    Key
		failed bool
	}

	// shutDown ends the pool.
	shutDown struct{}
)

// What became of actions.
type (
	// dialed and dialFailed are the end of a dial: one of them follows every
	// dial once, also after abortDial, for until then the attempt may hold a
	// descriptor and keeps its slot. Function is as in Error.
	dialed     struct{ conn connID }
	dialFailed struct {
		conn     connID
		function string
		err      error
	}

	// timeUp says that a timer ran out.
	timeUp struct{ timer timerID }

	// readable says that a watched connection has bytes or its end to read.
	readable struct{ conn connID }
)

func (allocate) isMessage()   {}
func (delivered) isMessage()  {}
func (cancel) isMessage()     {}
func (release) isMessage()    {}
func (report) isMessage()     {}
func (shutDown) isMessage()   {}
func (dialed) isMessage()     {}
func (dialFailed) isMessage() {}
func (timeUp) isMessage()     {}
func (readable) isMessage()   {}

// condition is the state in which a connection comes back (A90). The zero
// value is the one that cannot do harm.
type condition int

const (
	closed condition = iota // by either side, or half closed (A86, A87, A93)
	unread                  // input waits that belongs to the last user (A92)
	clean                   // fit to be lent again
)
