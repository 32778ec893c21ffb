package tcp

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// hook is a callback; hookOf is one with a value.
type (
	hook[In, Out any]      func(*kernel.Context, *Conn[In, Out]) error
	hookOf[In, Out, T any] func(*kernel.Context, *Conn[In, Out], T) error
)

// terms are what all connections of a server, or of a client, have in common.
// Hooks may be nil.
type terms[In, Out any] struct {
	filter      func() filter.Filter[In, Out]
	limits      Limits
	keepOnError bool

	connected, flushed, high, low, disconnected, drain hook[In, Out]
	input                                              hookOf[In, Out, In]
	failed, connectError                               hookOf[In, Out, *wheel.Error]
}

// choices joins callbacks and events; the first contradiction is err.
type choices struct {
	owner kernel.Address
	err   error
}

// both checks one pair, and reports whether it is the event that counts.
func (ch *choices) both(name string, callback bool, event string) bool {
	switch {
	case ch.err != nil || event == "":
	case callback:
		ch.err = misconfigured("Events."+name, "is %q, and there is a callback for the same; remove one", event)
	case ch.owner == "":
		ch.err = misconfigured("Events.Owner", "is empty, but Events.%s is %q; name the session that takes it", name, event)
	}
	return event != ""
}

func choose[In, Out any](ch *choices, name string, callback hook[In, Out], event kernel.Event[*Conn[In, Out]]) hook[In, Out] {
	if !ch.both(name, callback != nil, event.Name()) {
		return callback
	}
	owner := ch.owner
	return func(c *kernel.Context, conn *Conn[In, Out]) error {
		return conn.tell(c, owner, event.Name(), conn)
	}
}

func chooseOf[In, Out, T any](ch *choices, name string, callback hookOf[In, Out, T], event kernel.Event[T]) hookOf[In, Out, T] {
	if !ch.both(name, callback != nil, event.Name()) {
		return callback
	}
	owner := ch.owner
	return func(c *kernel.Context, conn *Conn[In, Out], v T) error {
		return conn.tell(c, owner, event.Name(), v, conn)
	}
}

// tell calls the owner. One that is gone costs the connection, and is no failure
// of anybody's handler.
func (conn *Conn[In, Out]) tell(c *kernel.Context, owner kernel.Address, event string, args ...any) error {
	_, err := c.Call(owner, event, args...)
	if !errors.Is(err, kernel.ErrNoSession) && !errors.Is(err, kernel.ErrStopped) {
		return err
	}
	if c.Event() != "_stop" && conn.phase != none {
		c.Kernel().Report("tcp", "connection closed: Events.Owner is gone", fmt.Errorf("event %q of %v: %w", event, conn, err))
	}
	conn.Close()
	return nil
}
