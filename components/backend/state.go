package backend

import (
	"time"

	"github.com/usher-go/usher/kernel"
)

// State is what a connection is doing.
type State string

const (
	Connecting     State = "connecting"     // an attempt is under way
	Authenticating State = "authenticating" // connected; the hellos are exchanged
	Ready          State = "ready"
	Suspect        State = "suspect"      // a ping is out: what comes meanwhile waits for the pong
	Reconnecting   State = "reconnecting" // waits for the next attempt
	Draining       State = "draining"     // finishes what was sent: Conn.Drain, or the server is about to close
	Closed         State = "closed"       // for good
)

// Change is one step of a connection, for whoever watches it.
type Change struct {
	Conn     *Conn
	From, To State
	Err      error         // why, when it was a failure
	Wait     time.Duration // until the next attempt, when To is Reconnecting
}

// ConnState is a glimpse of a connection.
type ConnState struct {
	State      State
	Waiting    int // messages not sent yet
	Asked      int // requests not answered yet
	Calls      int // requests sent so far
	Reconnects int
	Dropped    int   // messages that waited and were dropped: DropOldest
	Err        error // why the last connection or attempt failed

	Since        time.Time     // of State
	Access       time.Time     // a message was submitted last, or the connection was made (B11); zero before that
	Heard        time.Time     // the server said something last
	PingTimeout  time.Duration // the ping policy now (B9)
	IdlePing     time.Duration // a server that is silent for so long is pinged; 0: none is
	RoundTrip    time.Duration // of the last ping by policy and its pong; 0 before that
	WaitingBytes int
	Tx           int // transactions begun over this connection and not ended
	Traffic      Traffic
}

// Watch has each change of the connection's state posted to the current session
// as event, and at once the present state, as a Change with From equal to To. It
// goes on until Unwatch, the session's end, or Closed, which comes last; it holds
// neither session. Another Watch by the same session replaces its event. A change that
// finds the session's kernel.QueueLimit reached is dropped and reported. Errors:
// ErrArgument, ErrClosed.
func (c *Conn) Watch(kc *kernel.Context, event kernel.Event[Change]) error {
	if err := c.mine(kc, "Watch", event.Name()); err != nil {
		return err
	}
	_, err := evWatch.Call(kc, c.self, event)
	return ended(err)
}

// Unwatch ends what Watch began.
func (c *Conn) Unwatch(kc *kernel.Context) { _, _ = evWatch.Call(kc, c.self, "") }

// State returns a glimpse of the connection, ErrClosed when it has ended.
func (c *Conn) State() (ConnState, error) {
	v, err := c.k.Call(background, c.self, evGlimpse.Name())
	if err != nil {
		return ConnState{State: Closed}, ended(err)
	}
	return v.(ConnState), nil
}
