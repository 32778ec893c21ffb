package wheeltest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// plan says what the owner does to its wheel, and when: in the handler that makes
// it (0), or in that of its nth event. A negative n is never.
type plan struct {
	at int
	do deed
}

type deed uint8

const (
	nothing   deed = iota
	closes         // Wheel.Close
	closesFar      // Wheel.Close, in an event of its own
	stops          // Context.Stop
	stopsAll       // Kernel.Stop
)

func (p plan) String() string {
	if p.do == nothing {
		return "left alone"
	}
	where := fmt.Sprintf("in the handler of event %d", p.at)
	if p.at == 0 {
		where = "in the handler that makes the wheel"
	}
	switch p.do {
	case closes:
		return "Close " + where
	case closesFar:
		return "Close in an event posted " + where
	case stops:
		return "Context.Stop " + where
	case stopsAll:
		return "Kernel.Stop " + where
	}
	return "?"
}

// The owner's own events.
const (
	closeNow = "wheeltest close"
	lookBack = "wheeltest look back"
)

// owner is the session that has the wheel. It gets every event, and says what is
// wrong with it.
type owner struct {
	Case
	plan
	outcome
	w     *World
	wheel Wheel

	began  time.Time
	making bool
	ended  string // why no further event may come; empty while one may

	mu       sync.Mutex // while a handler runs, so that what comes inside it is seen
	problems []error
}

var _ kernel.Receiver = (*owner)(nil)

func (o *owner) Receive(c *kernel.Context) error {
	name := c.Event()
	switch {
	case name == "_stop": // also inside the handler that stops the session
		o.ended = "_stop"
		return nil
	case !o.mu.TryLock():
		return o.nested(c)
	}
	defer o.mu.Unlock()
	switch {
	case name == "_start":
		return o.start(c)
	case name == closeNow:
		o.close(c)
	case name == lookBack:
		o.lookBack(c)
	case !strings.HasPrefix(name, "_"):
		o.event(c)
	}
	return nil
}

// nested is an event that comes inside the handler of another one.
func (o *owner) nested(c *kernel.Context) error {
	what := "inside another of the session's handlers"
	if o.making {
		what = "before the handler that makes the wheel has returned; use Source.Wake, and deliver in the turn"
	}
	o.problem("%q comes %s", c.Event(), what)
	return nil
}

func (o *owner) problem(format string, args ...any) {
	o.problems = append(o.problems, fmt.Errorf(format, args...))
}

func (o *owner) err() error { return errors.Join(o.problems...) }

func (o *owner) start(c *kernel.Context) (err error) {
	o.began, o.making = c.Now(), true
	o.wheel, err = o.Make(c, o.w)
	o.making = false
	if err == nil && o.plan.at == 0 {
		o.act(c)
	}
	return err
}

// event is one of the wheel's.
func (o *owner) event(c *kernel.Context) {
	name := c.Event()
	for _, arg := range c.Args() {
		if x, ok := arg.(io.Closer); ok {
			defer x.Close()
		}
	}
	switch {
	case o.ended != "":
		o.problem("%q comes after %s", name, o.ended)
		return
	case c.Wheel() == 0:
		o.problem("%q carries no wheel's ID; send it with Source.Deliver", name)
	}
	o.events = append(o.events, o.describe(c))
	if name == Closed.Name() {
		o.closeEvent(c)
	}
	if len(o.events) == 1 && o.End != nil && name != Closed.Name() {
		o.End(o.wheel)
	}
	switch len(o.events) {
	case o.plan.at:
		o.act(c)
	case o.Endless:
		o.close(c)
	}
}

// describe is an event as it is in every run of the same seed.
func (o *owner) describe(c *kernel.Context) string {
	text := c.Event()
	for _, arg := range c.Args() {
		if s, ok := arg.(string); ok {
			text += fmt.Sprintf(" %q", s)
		}
	}
	return fmt.Sprintf("%s after %v", text, c.Now().Sub(o.began))
}

func (o *owner) closeEvent(c *kernel.Context) {
	o.closed++
	o.ended = Closed.Name()
	if len(c.Args()) != 1 {
		o.problem("%s has %d arguments; want the reason alone", Closed, len(c.Args()))
	} else if _, ok := c.Arg(0).(error); !ok && c.Arg(0) != nil {
		o.problem("%s brings a %T; want an error, or nil", Closed, c.Arg(0))
	}
	o.checkConns("when " + Closed.Name() + " comes")
	o.must(c.Yield(lookBack))
}

// act does what is planned.
func (o *owner) act(c *kernel.Context) {
	o.done = true
	switch o.plan.do {
	case closes:
		o.close(c)
	case closesFar:
		o.must(c.Yield(closeNow))
	case stops:
		c.Stop()
		o.ended = "Context.Stop"
	case stopsAll:
		c.Kernel().Stop()
	}
}

func (o *owner) close(c *kernel.Context) {
	if o.ended == "" {
		o.ended = "Close"
	}
	o.wheel.Close()
	o.wheel.Close() // the second time it is nothing
	if o.closed == 0 {
		o.checkConns("when Close has returned")
		o.checkSource(c, "when Close has returned")
	}
	o.must(c.Yield(lookBack))
}

// lookBack comes some time after the wheel's end.
func (o *owner) lookBack(c *kernel.Context) {
	o.checkSource(c, "after "+o.ended)
	o.wheel.Close()
}

func (o *owner) checkConns(when string) {
	for _, conn := range o.w.given {
		if !conn.isClosed() {
			o.problem("%v is still open %s", conn, when)
		}
	}
}

// checkSource looks for the wheel among what the session has.
func (o *owner) checkSource(c *kernel.Context, when string) {
	for line := range strings.Lines(c.Kernel().Explain(c.Self())) {
		if strings.HasPrefix(strings.TrimSpace(line), "wheel ") {
			o.problem("the session still has the wheel %s: %s; close its Source", when, strings.TrimSpace(line))
		}
	}
}

func (o *owner) must(err error) {
	if err != nil {
		o.problem("%w", err)
	}
}

func (c *Conn) isClosed() bool {
	c.n.lock()
	defer c.n.unlock()
	return c.closed
}
