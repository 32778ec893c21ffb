package tcp

import (
	"fmt"
	"reflect"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// rows are the built-in handlers that servers' connections and clients share.
func (t *terms[In, Out]) rows() rows[In, Out] {
	call := func(h hook[In, Out]) hook[In, Out] {
		return func(c *kernel.Context, conn *Conn[In, Out]) error { return conn.run(c, h) }
	}
	return rows[In, Out]{
		"_stop":          onStop[In, Out],
		evInput:          typed(onInput[In, Out]),
		evFlushed.Name(): call(t.flushed),
		evHigh.Name():    call(t.high),
		evLow.Name():     call(t.low),
		evError.Name():   typed(onError[In, Out]),
		evClosed.Name():  typed(onClosed[In, Out]),
		evIdle.Name():    onIdle[In, Out],
		evStuck.Name():   onStuck[In, Out],
		evDrain.Name():   call(t.onDrain),
		Shutdown.Name():  onShutdown[In, Out],
		Put:              onPut[In, Out],
	}
}

func onInput[In, Out any](c *kernel.Context, conn *Conn[In, Out], record In) error {
	conn.records = true
	if conn.terms.limits.IdleTimeout > 0 {
		conn.heard = c.Now()
	}
	return conn.terms.input(c, conn, record)
}

func onError[In, Out any](c *kernel.Context, conn *Conn[In, Out], e *wheel.Error) error {
	return conn.trouble(c, e)
}

func onClosed[In, Out any](_ *kernel.Context, conn *Conn[In, Out], why error) error {
	conn.because(why)
	conn.phase = over
	return nil
}

// onIdle looks when the last record came, so that records set no timers.
func onIdle[In, Out any](c *kernel.Context, conn *Conn[In, Out]) error {
	if conn.paused {
		conn.heard = c.Now()
	}
	limit := conn.terms.limits.IdleTimeout
	if left := limit - c.Now().Sub(conn.heard); left > 0 {
		evIdle.Delay(c, left, struct{}{})
		return nil
	}
	return conn.trouble(c, &wheel.Error{Op: "idle", Err: ErrIdle, Wheel: conn.ID()})
}

func onStuck[In, Out any](_ *kernel.Context, conn *Conn[In, Out]) error {
	conn.hangUp(ErrStuck)
	return nil
}

func onShutdown[In, Out any](_ *kernel.Context, conn *Conn[In, Out]) error {
	conn.Shutdown()
	return nil
}

// onDrain: nothing is told behind Disconnected.
func (t *terms[In, Out]) onDrain(c *kernel.Context, conn *Conn[In, Out]) error {
	if conn.phase == none {
		return nil
	}
	return conn.run(c, t.drain)
}

// onPut is Put for other sessions. What comes for a connection that is ending, or has
// ended, is dropped, as the peer would drop it.
func onPut[In, Out any](c *kernel.Context, conn *Conn[In, Out]) error {
	args := c.Args()
	records := make([]Out, len(args))
	for i, a := range args {
		r, ok := a.(Out)
		if !ok {
			return fmt.Errorf("%w: event %q wants %v, got %T; post it records of the filter's type", kernel.ErrArgument, Put, reflect.TypeFor[Out](), a)
		}
		records[i] = r
	}
	if _, ended := conn.role.(alone); conn.phase == none && !ended {
		c.Kernel().Report("tcp", "record dropped: there is no connection", errorOf(conn, ErrNotConnected))
	}
	return conn.Put(records...)
}

// onStop is for sessions that are stopped from outside: Disconnected is told all
// the same.
func onStop[In, Out any](c *kernel.Context, conn *Conn[In, Out]) error {
	conn.hangUp(nil)
	return conn.settle(c)
}

func errorOf(conn fmt.Stringer, err error) error { return fmt.Errorf("connection %v: %w", conn, err) }
