package session

import (
	"errors"
	"fmt"
	"slices"

	"github.com/usher-go/usher/kernel"
)

// dispatch handles the machine's own events.
func (m *Machine) dispatch(c *kernel.Context) error {
	t, ok := c.Arg(0).(*transition)
	switch {
	case !ok: // somebody else's event of that name
		return m.other(c, m.current.Load())
	case t.m != m: // of the machine that was here before a restart (kernel.Supervise)
		return nil
	case t.kind == evHalt:
		c.Stop()
		return nil
	}
	return m.move(c, t)
}

// move leaves a state and enters another (N7).
func (m *Machine) move(c *kernel.Context, t *transition) error {
	from := m.current.Load()
	if m.leaving {
		return fmt.Errorf("%w in the _leave of state %q; queue it with Goto, Push or Return", ErrTransition, from.name)
	}
	to, event, callers := t.to, t.event, m.callers
	switch n := len(callers); {
	case t.kind == evReturn && n == 0, t.kind == evPush && from == &m.nowhere:
		return fmt.Errorf("%w from state %q; Push first, and Return once for each", ErrNoReturn, from.name)
	case t.kind == evReturn:
		to, event, callers = callers[n-1].place, callers[n-1].event, callers[:n-1]
	case m.limited && from != &m.nowhere && !slices.Contains(from.next, to):
		return fmt.Errorf("%w: from state %q to %q; add it to session.Transitions", ErrTransition, from.name, to.name)
	case t.kind == evPush:
		if t.back != "" && !m.has(from, t.back) {
			return m.noEntry(from, t.back)
		}
		callers = append(callers, caller{from, t.back})
	}
	if err := m.leave(c, from); err != nil {
		return err
	}
	m.callers = callers
	m.current.Store(to)
	return m.enter(c, to, event, t.args)
}

func (m *Machine) leave(c *kernel.Context, from *place) error {
	if from == &m.nowhere || !m.has(from, "_leave") {
		return nil
	}
	m.leaving = true
	defer func() { m.leaving = false }()
	return m.call(c, from, "_leave", nil)
}

func (m *Machine) enter(c *kernel.Context, to *place, event string, args []any) error {
	if m.has(to, "_enter") {
		if err := m.call(c, to, "_enter", args); err != nil {
			return err
		}
	}
	if event == "" || event == "_enter" {
		return nil
	}
	if now := m.current.Load(); now != to {
		return fmt.Errorf("%w: the _enter of state %q went on to %q, before the event %q by which it was entered; use Goto, not GotoNow, there",
			ErrTransition, to.name, now.name, event)
	}
	return m.call(c, to, event, args)
}

// call runs a handler of the machine, as an event of its own (N8). A panic's
// Exception says by itself where it happened.
func (m *Machine) call(c *kernel.Context, in *place, event string, args []any) error {
	_, err := c.Call(m.self, event, args...)
	if err == nil {
		return nil
	}
	if x, ok := errors.AsType[*kernel.Exception](err); ok && x.Session == m.self {
		return err
	}
	return fmt.Errorf("%q in state %q: %w", event, in.name, err)
}
