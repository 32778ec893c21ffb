package session

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// Errors of transitions, for errors.Is.
var (
	// ErrNoState: the machine has no state of that name.
	ErrNoState = errors.New("no such state")
	// ErrNoReturn: nothing was pushed that Return could go back to (N13).
	ErrNoReturn = errors.New("no state to return to")
	// ErrTransition: Transitions does not list it, or it would leave a state that
	// is being left, or whose entry is not over.
	ErrTransition = errors.New("transition not allowed")
)

// StateName names a state of a machine; a literal works, too.
type StateName string

// Machine is a kernel.Receiver that is in one of several states, each with a
// table of its own (N17). It belongs to the one session that it is spawned as;
// what belongs to the machine besides, POE's run state, is the struct whose
// methods are its handlers.
type Machine struct {
	places     map[StateName]*place
	listed     []*place // in the order given
	start      *place
	nowhere    place // before the first state
	everywhere table
	onStart    kernel.Handler
	limited    bool // Transitions were given

	spawned atomic.Bool
	self    kernel.Address
	current atomic.Pointer[place]
	callers []caller
	leaving bool // _leave runs
}

var _ kernel.Receiver = (*Machine)(nil)

// place is a state and its table.
type place struct {
	name StateName
	table
	next []*place // by Transitions
}

// caller is where Return goes to.
type caller struct {
	place *place
	event string
}

// Current returns the name of the state that the machine is in, "" before it
// entered one. It may be called on any goroutine.
func (m *Machine) Current() StateName { return m.current.Load().name }

// Receive runs the handler that the current event has in the current state.
func (m *Machine) Receive(c *kernel.Context) error {
	event, in := c.Event(), m.current.Load()
	if h := in.find(event); h != nil {
		return h(c)
	}
	h, set := c.Added(event)
	if !set {
		h = m.everywhere.find(event)
	}
	if h != nil {
		return h(c)
	}
	return m.other(c, in)
}

// other deals with an event that has no handler of its own.
func (m *Machine) other(c *kernel.Context, in *place) error {
	event := c.Event()
	h := in.find("_default")
	if h == nil {
		var set bool
		if h, set = c.Added("_default"); !set {
			h = m.everywhere.find("_default")
		}
	}
	switch {
	case h != nil && event != "_stop": // N16
		c.Redirect()
		return h(c)
	case event == "_stop" || event == "_child" || event == "_parent":
		c.Unhandled() // the kernel's own: nobody has to handle them
		return nil
	}
	return fmt.Errorf("%w for event %q in state %q; add it to that state or to the whole machine, or give the state a _default",
		kernel.ErrNoHandler, event, in.name)
}

// begin is the _start of the machine's session (N4).
func (m *Machine) begin(c *kernel.Context) error {
	if !m.spawned.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: this machine was started before; make a new one for each Spawn, and in the function given to Supervise",
			kernel.ErrArgument)
	}
	m.self = c.Self()
	if m.onStart != nil {
		if err := m.onStart(c); err != nil {
			return err
		}
	}
	if m.current.Load() != &m.nowhere {
		return nil
	}
	return m.move(c, &transition{kind: evGoto, to: m.start, args: c.Args()})
}

// has reports whether a state, or the whole machine, handles an event by name.
func (m *Machine) has(in *place, event string) bool {
	return in.find(event) != nil || m.everywhere.find(event) != nil
}
