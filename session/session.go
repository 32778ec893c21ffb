package session

import "github.com/usher-go/usher/kernel"

// Session is a kernel.Receiver made of a table of handlers.
type Session struct {
	table
	fallback kernel.Handler
}

var _ kernel.Receiver = (*Session)(nil)

// New makes a session. See the package's documentation for how events find their
// handlers; it panics on an empty name, a nil handler and a name used twice.
func New(states ...State) *Session {
	s := &Session{table: newTable("session.New", states)}
	s.fallback = s.rows["_default"]
	return s
}

// Receive runs the handler of the current event.
func (s *Session) Receive(c *kernel.Context) error {
	name := c.Event()
	h, set := c.Added(name)
	if !set {
		h = s.find(name)
	}
	if h != nil {
		return h(c)
	}
	if h, set = c.Added("_default"); !set {
		h = s.fallback
	}
	if h == nil || name == "_start" {
		c.Unhandled()
		return nil
	}
	c.Redirect()
	return h(c)
}
