package session

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// State is one row of a session's table: an event and its handler.
type State struct {
	event   string
	handler kernel.Handler
}

// Handle has h answer an event. The event may be a literal, a string, or a typed
// event whose payload h reads through Context.Arg.
func Handle[E ~string](event E, h kernel.Handler) State { return State{string(event), h} }

// On has h answer a typed event, with its payload. An event of that name that
// arrives with another type is an error, and h does not run.
func On[T any](e kernel.Event[T], h func(*kernel.Context, T) error) State {
	if h == nil {
		return State{event: string(e)}
	}
	return State{string(e), func(c *kernel.Context) error {
		v, err := kernel.Payload[T](c)
		if err != nil {
			return err
		}
		return h(c, v)
	}}
}

// Session is a kernel.Receiver made of a table of handlers.
type Session struct {
	states   map[string]kernel.Handler
	fallback kernel.Handler
	recent   recent
}

var _ kernel.Receiver = (*Session)(nil)

// New makes a session. See the package's documentation for how events find their
// handlers; it panics on an empty name, a nil handler and a name used twice.
func New(states ...State) *Session {
	s := &Session{states: make(map[string]kernel.Handler, len(states))}
	for i, st := range states {
		switch {
		case st.event == "":
			panic(fmt.Sprintf("session.New: state %d has no event name", i))
		case st.handler == nil:
			panic(fmt.Sprintf("session.New: the handler for %q is nil", st.event))
		case s.states[st.event] != nil:
			panic(fmt.Sprintf("session.New: %q has two handlers; which one is meant?", st.event))
		}
		s.states[st.event] = st.handler
	}
	s.fallback = s.states["_default"]
	s.recent.fill(s.states)
	return s
}

// Receive runs the handler of the current event.
func (s *Session) Receive(c *kernel.Context) error {
	name := c.Event()
	if h := c.Added(name); h != nil {
		return h(c)
	}
	if h := s.recent.find(name); h != nil {
		return h(c)
	}
	if h := s.states[name]; h != nil {
		return h(c)
	}
	h := c.Added("_default")
	if h == nil {
		h = s.fallback
	}
	if h == nil || name == "_start" {
		c.Unhandled()
		return nil
	}
	c.Redirect()
	return h(c)
}
