package trace

import (
	"time"

	"github.com/usher-go/usher/kernel"
)

// Kind is what a Record tells of.
type Kind uint8

const (
	Handled   Kind = iota + 1 // a handler ran, or runs
	Unhandled                 // nobody handles the event Cause
	Dropped                   // an accepted event will not be handled
	Refused                   // a method returned an error: Name is the method
	Timer                     // a timer was moved or removed (Detail)
	Signal                    // a signal's verdict (Detail)
	Stops                     // To stops, and why (Detail)
	Restarts                  // To got a fresh receiver
	Reported                  // what a component reports: Name is the component, Detail the cause
)

func (k Kind) String() string {
	return [...]string{"", "handled", "unhandled", "dropped", "refused", "timer", "signal", "stops", "restarts", "reported"}[k]
}

// Record is one thing that happened.
type Record struct {
	Kind     Kind
	Seq      uint64         // Handled, Dropped: the event's number; 0 for the others
	Cause    uint64         // the event that brought it about, 0 for none; see kernel.Observer
	At       time.Time      // by the kernel's clock: when the handler began; of other kinds, roughly when
	Name     string         // the event, or the signal
	From, To kernel.Address // of a signal: who handled it, and whom it was sent to
	Via      kernel.Via
	Wheel    kernel.WheelID
	Took     time.Duration // Handled: from begin to end, calls included; so far, while Running
	Running  bool          // Handled: it has not returned
	Err      error         // Handled: what it returned; Refused, Restarts, Reported: why
	Detail   string
}
