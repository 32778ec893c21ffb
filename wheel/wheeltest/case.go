package wheeltest

import (
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Wheel is what every wheel offers.
type Wheel interface {
	ID() kernel.WheelID
	Close()
}

// Closed is the CloseEvent of a Case's wheel.
const Closed kernel.Event[error] = "closed"

// Case is a kind of wheel, and something that happens to it.
type Case struct {
	// Make makes the wheel, in a session's _start, and sets in motion what
	// happens to it: some events, and then its own end. Its CloseEvent is
	// Closed; its other events have any names but ones that begin with "_" or
	// "wheeltest". What an event carries that can be closed is closed.
	Make func(c *kernel.Context, w *World) (Wheel, error)

	// End has a wheel end by itself that would go on for ever, such as a
	// listener. It is called in the handler of the wheel's first event. Default
	// nil: the wheel ends without it.
	End func(Wheel)

	// Endless is for a wheel that has no end of its own, such as one that follows
	// a file: after so many events its owner closes it, and no CloseEvent is
	// expected. Default 0: the wheel ends by itself, or by End.
	Endless int

	// Real leaves out the simulated kernel, for wheels on files, processes or
	// connections of the system.
	Real bool
}

// Run runs every check as a subtest, under parallel and serial kernels, and under
// simulated ones with several seeds. A check ends with the first setting in which it
// fails. It is not for tests that run in parallel with
// others: it counts the descriptors of the whole process.
func Run(t *testing.T, c Case) {
	t.Helper()
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			if err := check.on(c, t.TempDir); err != nil {
				t.Error(err)
			}
		})
	}
}
