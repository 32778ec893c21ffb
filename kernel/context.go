package kernel

import (
	"fmt"
	"slices"
	"time"
)

// Context is what a handler works with: the event it handles and the session it
// runs for. It is valid until the handler returns, and only on its goroutine;
// what may outlive it is a Lease or an Address.
type Context struct {
	k         *Kernel
	s         *session
	ch        *chain
	ev        event
	wheel     WheelID
	ret       any
	unhandled bool
	created   []*session // spawned by this handler, held until it returns
}

// Event returns the event's name. In a _default handler it is "_default".
func (c *Context) Event() string { return c.ev.name }

// Args returns the event's arguments, in a slice that is the caller's.
func (c *Context) Args() []any { return c.ev.args() }

// Arg returns one argument, nil when there are fewer.
func (c *Context) Arg(i int) any { return c.ev.arg(i) }

// Wheel returns which wheel sent the event, 0 when none did.
func (c *Context) Wheel() WheelID { return c.wheel }

// Self returns this session's ID.
func (c *Context) Self() Address { return c.s.addr }

// Sender returns who posted or called: this session itself for timers and its
// wheels, the empty address for the kernel and for goroutines outside any
// session (K57).
func (c *Context) Sender() Address { return addr(c.ev.from) }

// Kernel returns the kernel.
func (c *Context) Kernel() *Kernel { return c.k }

// Now is the kernel's time: virtual in simulated mode.
func (c *Context) Now() time.Time { return c.k.clock.now() }

// Done returns a channel that closes when this session's stop is decided. It may
// outlive the handler, for goroutines that work for the session.
func (c *Context) Done() <-chan struct{} { return c.s.doneChan() }

// Return sets the value that a Call of this handler gets, and _child the value
// of _start and _stop.
func (c *Context) Return(v any) { c.ret = v }

// Stop ends this session when its outermost handler has returned: whatever holds
// it is dropped, its children go to its parent, and _stop is its last event.
// Events queued for it are reported as dropped; those it sent arrive.
func (c *Context) Stop() {
	c.s.wantStop = true
	c.s.doom()
}

// Unhandled is for receivers: nothing here handles the event. A posted one is
// reported to the observer, a caller gets ErrNoHandler.
func (c *Context) Unhandled() { c.unhandled = true }

// Redirect is for receivers: it makes the event "_default", with the event's
// name and the list of its arguments as arguments (K72), until the handler returns.
func (c *Context) Redirect() {
	name, args := c.ev.name, c.ev.args()
	c.ev.name = "_default"
	c.ev.n, c.ev.a = 2, [2]any{name, args}
}

// State adds or replaces a handler of this session while it runs; nil removes it
// (K76). Handlers are looked up when an event is dispatched, so this concerns
// events already queued, too (K61).
func (c *Context) State(event string, h Handler) {
	if h == nil {
		delete(c.s.states, event)
		return
	}
	if c.s.states == nil {
		c.s.states = make(map[string]Handler)
	}
	c.s.states[event] = h
}

// Added returns the handler that State set for an event, nil when there is none.
// Receivers look there before they look at their own table.
func (c *Context) Added(event string) Handler {
	if c.s.states == nil {
		return nil
	}
	return c.s.states[event]
}

// DetachChild gives a child to the kernel: this session gets _child("lose"), the
// child _parent (K88). ErrNotChild when it is not this session's (K89).
func (c *Context) DetachChild(child Address) error {
	t := c.resolve(child)
	if t == nil {
		return fmt.Errorf("detach %v: %w", child, ErrNoSession)
	}
	if c.k.tree.parentOf(t) != c.s {
		return fmt.Errorf("detach %v: %w of session %v", child, ErrNotChild, c.s.addr)
	}
	c.ch.detach(t, c.s)
	return nil
}

// DetachMyself is DetachChild seen from the child (K90).
func (c *Context) DetachMyself() error {
	p := c.k.tree.parentOf(c.s)
	if p == c.k.root {
		return fmt.Errorf("detach %v: %w of any session but the kernel", c.s.addr, ErrNotChild)
	}
	c.ch.detach(c.s, p)
	return nil
}

func (ch *chain) detach(t, from *session) {
	root := ch.k.root
	lose := from
	if !t.announced { // K91: nobody heard of it yet
		lose = root
	}
	ch.tell(lose, func(ch *chain) {
		ch.tell(t, func(ch *chain) { ch.k.tree.move(t, from, root) }, "_parent", from.addr, root.addr)
	}, "_child", "lose", t.addr, nil)
}

// Sig has event called when a signal reaches this session: with the
// signal's name, the signal's own data, then args (K119). One handler per signal;
// a new one replaces it, and an empty event removes it. Any name will do; those
// of the operating system (INT, TERM, HUP, USR1 …) are caught while somebody
// watches them. A watch does not hold the session (K22). An empty name panics.
func (c *Context) Sig(name, event string, args ...any) {
	if err := checkSignal(name); err != nil {
		panic(err)
	}
	if event == "" {
		c.k.signals.unwatch(c.s, name)
		return
	}
	c.s.watches = true
	c.k.signals.watch(c.s, name, sigWatch{event, slices.Clone(args)})
}

// SigHandled marks the signal being dispatched as handled: nobody is stopped by
// it (K127). It counts from nested calls, too, and does nothing elsewhere.
func (c *Context) SigHandled() {
	if c.ch.walk != nil {
		c.ch.walk.handled = true
	}
}

// Signal queues a signal to a session and its descendants, or to everyone when
// to is empty. See Kernel.Signal.
func (c *Context) Signal(to Address, name string, args ...any) error {
	return c.k.Signal(to, name, args...)
}

func checkSignal(name string) error {
	if name == "" || name == sigStop {
		return fmt.Errorf("%w: signal %q; want a name such as TERM", ErrArgument, name)
	}
	return nil
}
