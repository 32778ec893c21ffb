package wheel

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// output is one direction of a wheel: what is not sent yet. All of it happens in
// the owner's turn.
type output struct {
	waiter
	port  port
	max   int
	queue []byte // what the port has not taken yet
	err   error  // writing has failed …
	lost  int    // … and so many bytes were dropped
	last  func() error
	asked bool   // the port was asked to do last
	over  bool   // last was done
	moved uint64 // bytes sent so far
}

func (o *output) init(p port, src *kernel.Source) { o.port, o.src = p, src }

// put sends p or queues it; p is not kept.
func (o *output) put(method, limit string, p []byte) error {
	unsent := o.unsent()
	switch {
	case o.err != nil || o.last != nil:
		return closedError(method, o.err)
	case len(p) > o.max-unsent:
		return fmt.Errorf("wheel: %s: %w: %d bytes queued and %d more exceed %s, %d; wait for LowEvent or FlushedEvent, or raise it",
			method, ErrOutputFull, unsent, len(p), limit, o.max)
	}
	if len(o.queue) == 0 && len(p) > 0 {
		p = p[o.send(p):]
	}
	if o.err == nil {
		o.queue = append(o.queue, p...)
	}
	return nil
}

// send gives the port what it takes at one go; if that is not all, a turn goes on. Most
// ports take all. Where something is left to wait for, it says so and looks again, so
// that no call of ready is missed.
func (o *output) send(p []byte) int {
	n, err := o.port.TryWrite(p)
	if err == ErrAgain {
		o.waits.Store(true)
		if n, err = o.port.TryWrite(p); err == ErrAgain {
			return 0
		}
		o.waits.Store(false)
	}
	o.moved += uint64(n)
	switch {
	case err != nil:
		o.fail(err)
	case n < len(p):
		o.src.Wake()
	default:
		o.awaitBehind()
	}
	return n
}

// awaitBehind waits for a port that has taken more than it has written.
func (o *output) awaitBehind() {
	if behind, _, err := o.port.written(); behind == 0 && err == nil {
		return
	}
	o.waits.Store(true)
	switch behind, _, err := o.port.written(); {
	case err != nil:
		o.waits.Store(false)
		o.src.Wake() // flush says so
	case behind == 0:
		o.waits.Store(false)
	}
}

func (o *output) fail(err error) {
	o.err, o.lost, o.queue = err, len(o.queue), nil
	o.src.Wake()
}

// flush is for the owner's turn: it goes on with what is queued, and then with last.
func (o *output) flush() {
	if o.err != nil || o.over {
		return
	}
	free := !o.waits.Load()
	behind, done, err := o.port.written()
	if free && err == nil && (behind > 0 || o.asked && !done) {
		o.waits.Store(true) // the port said that a part is written, and says so again
		_, done, err = o.port.written()
	}
	switch {
	case err != nil:
		o.fail(err)
		return
	case o.asked:
		o.over = done
		return
	}
	if len(o.queue) > 0 && free {
		if o.queue = o.queue[o.send(o.queue):]; len(o.queue) == 0 {
			o.queue = nil
		}
	}
	if o.last == nil || o.err != nil || len(o.queue) > 0 {
		return
	}
	o.asked = true
	o.waits.Store(true)
	if o.over, err = o.port.last(o.last); err != nil {
		o.fail(err)
	}
}

// finish has last done when everything was written, and more after that. Nothing is
// taken from now on.
func (o *output) finish(last func() error, more ...byte) {
	if o.last == nil {
		o.last = last
		o.queue = append(o.queue, more...)
		o.src.Wake()
	}
}

// unsent is how much was put and is not written.
func (o *output) unsent() int {
	if o.err != nil {
		return 0
	}
	behind, _, _ := o.port.written()
	return len(o.queue) + behind
}

// pending reports whether there is something left to do.
func (o *output) pending() bool {
	return o.err == nil && (o.last != nil && !o.over || o.unsent() > 0)
}

// finishing reports whether finish was called.
func (o *output) finishing() bool { return o.last != nil }
