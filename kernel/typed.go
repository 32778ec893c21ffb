package kernel

import (
	"fmt"
	"reflect"
	"time"
)

// Event is a typed name: a constant of this type ties a name to the type of its
// one argument, so that a post and a handler that share the constant are checked
// when they are compiled.
//
//	const Tick kernel.Event[int] = "tick"
//
// Every method does what the Context's method of that name does, with one
// argument of type T. A literal string is accepted wherever an Event field is
// set (wheels, components); its payload is then checked when it is handled, and
// a mismatch is an error that names the event, the wanted and the given type.
type Event[T any] string

// Name returns the event's name for the untyped methods (Sig, Lease.Post, …).
func (e Event[T]) Name() string { return string(e) }

// Post sends the event to a session. See Context.Post.
func (e Event[T]) Post(c *Context, to Address, v T) error { return c.Post(to, string(e), v) }

// PostFrom sends the event from outside any session. See Kernel.Post.
func (e Event[T]) PostFrom(k *Kernel, to Address, v T) error { return k.Post(to, string(e), v) }

// Yield sends the event to the current session. See Context.Yield.
func (e Event[T]) Yield(c *Context, v T) error { return c.Yield(string(e), v) }

// Call runs the event's handler at once and returns its value. See Context.Call.
func (e Event[T]) Call(c *Context, to Address, v T) (any, error) { return c.Call(to, string(e), v) }

// Delay sets a timer, replacing those of the same name. See Context.Delay.
func (e Event[T]) Delay(c *Context, d time.Duration, v T) { c.Delay(string(e), d, v) }

// DelayAdd sets one more timer of this name. See Context.DelayAdd.
func (e Event[T]) DelayAdd(c *Context, d time.Duration, v T) { c.DelayAdd(string(e), d, v) }

// DelaySet sets one more timer and returns its ID. See Context.DelaySet.
func (e Event[T]) DelaySet(c *Context, d time.Duration, v T) TimerID {
	return c.DelaySet(string(e), d, v)
}

// Alarm sets a timer for a point in time, replacing those of the same name. See Context.Alarm.
func (e Event[T]) Alarm(c *Context, at time.Time, v T) { c.Alarm(string(e), at, v) }

// AlarmAdd sets one more timer of this name. See Context.AlarmAdd.
func (e Event[T]) AlarmAdd(c *Context, at time.Time, v T) { c.AlarmAdd(string(e), at, v) }

// AlarmSet sets one more timer and returns its ID. See Context.AlarmSet.
func (e Event[T]) AlarmSet(c *Context, at time.Time, v T) TimerID {
	return c.AlarmSet(string(e), at, v)
}

// Payload returns the current event's argument as a T, or an error that names
// the event, the wanted and the given type. An absent argument is T's zero value.
func Payload[T any](c *Context) (T, error) {
	c.check()
	a := c.ev.arg(0) // Arg is too long to be inlined
	v, ok := a.(T)
	if !ok && a != nil {
		return v, fmt.Errorf("%w: event %q wants %v, got %T; post it with a value of the event's type",
			ErrArgument, c.Event(), reflect.TypeFor[T](), a)
	}
	return v, nil
}
