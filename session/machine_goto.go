package session

import (
	"fmt"
	"slices"

	"github.com/usher-go/usher/kernel"
)

// The machine's own events: a transition that waits its turn (N25).
const (
	evGoto   = "_goto"
	evPush   = "_push"
	evReturn = "_return"
	evHalt   = "_halt"
)

var reserved = []string{evGoto, evPush, evReturn, evHalt}

// transition is what a machine is asked to do.
type transition struct {
	m     *Machine
	kind  string // the name of its event
	to    *place // evGoto, evPush
	event string // of to; "" for none
	back  string // evPush: of the state that it goes back to
	args  []any
}

// String is for observers of dropped events.
func (t *transition) String() string {
	if t.to == nil {
		return fmt.Sprint(t.args)
	}
	return fmt.Sprintf("%s %s%v", t.to.name, t.event, t.args)
}

// Goto changes the state, as soon as the events that are queued already were
// handled in the old one (N5): it posts the machine's own event "_goto" to its
// session. Only in "_start", before the first state, it is GotoNow (N4).
//
// The old state's "_leave" runs first; if it fails, the machine stays where it is.
// Then the machine is in the new state, whose "_enter" runs, if it has one, and
// then its handler for event, unless that is "". The machine itself calls both,
// with args (N8). A transition from a state to itself does all of this, too (N9).
// A failure of these handlers is one of the event "_goto".
//
// Errors, and then nothing is queued: ErrNoState; kernel.ErrNoHandler when neither
// the state nor the machine handles event (_default does not count);
// kernel.ErrArgument when c is not of this machine's session; those of
// Context.Yield. A transition that Transitions does not list is ErrTransition when
// its turn comes.
func (m *Machine) Goto(c *kernel.Context, state StateName, event string, args ...any) error {
	t, err := m.plan(c, evGoto, state, event, args)
	if err != nil {
		return err
	}
	if m.current.Load() == &m.nowhere {
		return m.move(c, &t)
	}
	return m.queue(c, t)
}

// GotoNow is Goto without the queue: when it returns, the machine is in the new
// state, and what its handlers returned as an error is GotoNow's error. The rest
// of the handler that called it runs in the new state (N6). In a "_leave" it is
// ErrTransition.
func (m *Machine) GotoNow(c *kernel.Context, state StateName, event string, args ...any) error {
	t, err := m.plan(c, evGoto, state, event, args)
	if err != nil {
		return err
	}
	return m.move(c, &t)
}

// Push is Goto to a state that knows the way back: Return goes to the state that
// was left, and there has its handler for the event back called, unless that is "".
// Pushes nest to any depth (N11); a Goto in between leaves them as they are (N14),
// so a machine that pushes and never returns grows. Its own event is "_push".
//
// Errors are those of Goto. That the state to come back to handles back is known,
// and checked, when the push has its turn: kernel.ErrNoHandler.
func (m *Machine) Push(c *kernel.Context, back string, state StateName, event string, args ...any) error {
	t, err := m.plan(c, evPush, state, event, args)
	if err != nil {
		return err
	}
	t.back = back
	return m.queue(c, t)
}

// PushNow is Push as GotoNow is Goto. ErrNoReturn before the first state.
func (m *Machine) PushNow(c *kernel.Context, back string, state StateName, event string, args ...any) error {
	t, err := m.plan(c, evPush, state, event, args)
	if err != nil {
		return err
	}
	t.back = back
	return m.move(c, &t)
}

// Return goes back to where the last Push came from: a transition like that of
// Goto, to the event that Push named (N12), with args. Transitions does not have
// to list it. Its own event is "_return", which fails with ErrNoReturn when
// nothing is left to return to (N13).
func (m *Machine) Return(c *kernel.Context, args ...any) error {
	if err := m.mine(c); err != nil {
		return err
	}
	return m.queue(c, transition{kind: evReturn, args: args})
}

// ReturnNow is Return as GotoNow is Goto.
func (m *Machine) ReturnNow(c *kernel.Context, args ...any) error {
	if err := m.mine(c); err != nil {
		return err
	}
	return m.move(c, &transition{kind: evReturn, args: args})
}

// Stop is Context.Stop, as soon as the events that are queued already were handled
// (N15): it posts the machine's own event "_halt". What is queued behind it is
// reported as dropped. "_leave" does not run; "_stop" is for what has to be closed.
func (m *Machine) Stop(c *kernel.Context) error {
	if err := m.mine(c); err != nil {
		return err
	}
	return m.queue(c, transition{kind: evHalt})
}

// plan checks what can be checked before the transition's turn.
func (m *Machine) plan(c *kernel.Context, kind string, state StateName, event string, args []any) (transition, error) {
	if err := m.mine(c); err != nil {
		return transition{}, err
	}
	to := m.places[state]
	if to == nil {
		return transition{}, fmt.Errorf("%w: %q; add session.In(%[2]q, …) to the machine", ErrNoState, state)
	}
	if event != "" && !m.has(to, event) {
		return transition{}, m.noEntry(to, event)
	}
	return transition{kind: kind, to: to, event: event, args: args}, nil
}

func (m *Machine) noEntry(to *place, event string) error {
	return fmt.Errorf("%w for event %q, by which state %q is to be entered; add it to that state, or enter it without an event",
		kernel.ErrNoHandler, event, to.name)
}

// mine checks that c is of the machine's session.
func (m *Machine) mine(c *kernel.Context) error {
	if c.Self() == m.self {
		return nil
	}
	return fmt.Errorf("%w: session %v moves a machine that is not its own; post an event to that machine's session",
		kernel.ErrArgument, c.Self())
}

// queue has the transition wait behind what is queued already.
func (m *Machine) queue(c *kernel.Context, t transition) error {
	t.m, t.args = m, slices.Clone(t.args)
	return c.Yield(t.kind, &t)
}
