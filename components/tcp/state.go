package tcp

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// State is one row more in the table of a connection's or a client's session.
type State[In, Out any] struct {
	event   string
	handler hook[In, Out]
}

// Handle has h answer an event, with the connection whose session it came to. It
// may take the place of a built-in handler, such as that of Shutdown (C22). _start
// and names that begin with "tcp_" are the package's; a _stop runs after
// Disconnected.
func Handle[In, Out any, E ~string](event E, h func(*kernel.Context, *Conn[In, Out]) error) State[In, Out] {
	return State[In, Out]{string(event), h}
}

// On has h answer a typed event, with its payload. An event of that name that
// arrives with another type is an error, and h does not run.
func On[In, Out, T any](e kernel.Event[T], h func(*kernel.Context, *Conn[In, Out], T) error) State[In, Out] {
	if h == nil {
		return State[In, Out]{event: string(e)}
	}
	return State[In, Out]{string(e), typed(h)}
}

func typed[In, Out, T any](h hookOf[In, Out, T]) hook[In, Out] {
	return func(c *kernel.Context, conn *Conn[In, Out]) error {
		v, err := kernel.Payload[T](c)
		if err != nil {
			return err
		}
		return h(c, conn, v)
	}
}

func joined(a, b error) error {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return errors.Join(a, b)
}

func checkStates[In, Out any](field string, states []State[In, Out]) error {
	seen := map[string]bool{}
	for _, s := range states {
		switch {
		case s.event == "" || s.event == "_start" || strings.HasPrefix(s.event, ownPrefix):
			return misconfigured(field, "has a handler for %q; want a name that is not empty, not _start, and without %s in front", s.event, ownPrefix)
		case s.handler == nil:
			return misconfigured(field, "has a nil handler for %q; set it, or remove the row", s.event)
		case seen[s.event]:
			return misconfigured(field, "has two handlers for %q; which one is meant?", s.event)
		}
		seen[s.event] = true
	}
	return nil
}

// rows is a table of handlers that all connections of a server share.
type rows[In, Out any] map[string]hook[In, Out]

func (r rows[In, Out]) add(states []State[In, Out]) {
	for _, s := range states {
		h := s.handler
		if first := r[s.event]; s.event == "_stop" && first != nil {
			h = func(c *kernel.Context, conn *Conn[In, Out]) error {
				if err := first(c, conn); err != nil {
					return err
				}
				return s.handler(c, conn)
			}
		}
		r[s.event] = h
	}
}

// seat is the receiver of a connection's or a client's session: a Conn and the
// table of handlers.
type seat[In, Out any] struct {
	conn  *Conn[In, Out]
	rows  rows[In, Out]
	depth int // of handlers on the stack
}

var _ kernel.Receiver = (*seat[string, string])(nil)

// Receive runs the handler of the current event. A handler that fails costs the
// connection; what a handler asked of it is carried out when it has returned. Where
// the session is stopping, nobody could handle DIE, which would stop the kernel
// (K139): the failure is reported.
func (s *seat[In, Out]) Receive(c *kernel.Context) (err error) {
	returned, settled := false, false
	s.depth++
	defer func() {
		if returned && settled && err == nil || c.Called() || !stopping(c) {
			return
		}
		if p := recover(); p != nil {
			err = joined(err, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		if err != nil {
			c.Kernel().Report("tcp", "handler failed as its session stopped", errorOf(s.conn, err))
			err = nil
		}
	}()
	defer func() {
		if !returned { // a panic, or runtime.Goexit
			s.conn.failed = true
			s.conn.Close()
		}
		if s.depth--; s.depth == 0 {
			err = joined(err, s.conn.settle(c))
		}
		settled = true // Disconnected has not panicked
	}()
	err = s.conn.verdict(c, s.answer(c))
	returned = true
	return err
}

func stopping(c *kernel.Context) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// answer finds the handler as session.Session does.
func (s *seat[In, Out]) answer(c *kernel.Context) error {
	name := c.Event()
	if s.has(c, name) {
		return s.run(c, name)
	}
	if name == "_start" || !s.has(c, "_default") {
		c.Unhandled()
		return nil
	}
	c.Redirect()
	return s.run(c, "_default")
}

func (s *seat[In, Out]) has(c *kernel.Context, name string) bool {
	if h, set := c.Added(name); set {
		return h != nil
	}
	return s.rows[name] != nil
}

func (s *seat[In, Out]) run(c *kernel.Context, name string) error {
	if h, set := c.Added(name); set {
		return h(c)
	}
	return s.rows[name](c, s.conn)
}
