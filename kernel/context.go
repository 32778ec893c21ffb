package kernel

import (
	"fmt"
	"slices"
	"time"
)

// Context is what a handler works with: the event it handles and the session it
// runs for. It is valid until the handler returns, and only on its goroutine;
// what may outlive it is a Lease or an Address. Any other use has no meaning; with
// Config.Debug it panics with a *MisuseError.
type Context struct {
	k         *Kernel
	s         *session
	ch        *chain
	ev        event
	wheel     WheelID
	ret       any
	unhandled bool
	created   []*session // spawned by this handler, held until it returns
	guard     *guard     // Config.Debug; otherwise nil
}

// Event returns the event's name. In a _default handler it is "_default".
func (c *Context) Event() string { c.check(); return c.ev.name }

// Seq returns the event's number, by which an Observer knows it; 0 without one
// that has events numbered.
func (c *Context) Seq() uint64 { c.check(); return c.ev.seq }

// Args returns the event's arguments, in a slice that is the caller's.
func (c *Context) Args() []any { c.check(); return c.ev.args() }

// Arg returns one argument, nil when there are fewer.
func (c *Context) Arg(i int) any { c.check(); return c.ev.arg(i) }

// Wheel returns which wheel sent the event, 0 when none did.
func (c *Context) Wheel() WheelID { c.check(); return c.wheel }

// Self returns this session's ID.
func (c *Context) Self() Address { c.check(); return c.s.addr }

// Sender returns who posted or called: this session itself for timers and its
// wheels, the empty address for the kernel and for goroutines outside any
// session (K57).
func (c *Context) Sender() Address {
	if c.check(); c.ev.from == nil {
		return ""
	}
	return c.ev.from.addr
}

// Called reports whether somebody waits for this handler: it was reached by Call.
func (c *Context) Called() bool { c.check(); return c.ev.via == ViaCall }

// Kernel returns the kernel.
func (c *Context) Kernel() *Kernel { c.check(); return c.k }

// Now is the kernel's time: virtual in simulated mode.
func (c *Context) Now() time.Time { c.check(); return c.k.clock.now() }

// Done returns a channel that closes when this session's stop is decided. It may
// outlive the handler, for goroutines that work for the session.
func (c *Context) Done() <-chan struct{} { c.check(); return c.s.doneChan() }

// Return sets the value that a Call of this handler gets, and _child the value
// of _start and _stop.
func (c *Context) Return(v any) { c.check(); c.ret = v }

// Stop ends this session when its outermost handler has returned: whatever holds
// it is dropped, its children go to its parent, and _stop is its last event.
// Events queued for it are reported as dropped; those it sent arrive.
func (c *Context) Stop() {
	c.check()
	c.s.askStop(stop{reason: StopAsked, cause: c.ev.seq})
}

// Unhandled is for receivers: nothing here handles the event. A posted one is
// reported to the observer, a caller gets ErrNoHandler.
func (c *Context) Unhandled() { c.check(); c.unhandled = true }

// Redirect is for receivers: it makes the event "_default", with the event's
// name and the list of its arguments as arguments (K72), until the handler returns.
func (c *Context) Redirect() {
	c.check()
	name, args := c.ev.name, c.ev.args()
	c.ev.name = "_default"
	c.ev.n, c.ev.a = 2, [2]any{name, args}
}

// State adds a handler to this session while it runs, replaces one, or, with nil,
// removes it, whether State had set it or the receiver was made with it (K76).
// Handlers are looked up when an event is dispatched, so this concerns events
// already queued, too (K61). With Config.Debug, replacing one that State had set
// is a warning (K75).
func (c *Context) State(event string, h Handler) {
	c.check()
	if c.s.states == nil {
		c.s.states = make(map[string]Handler)
	}
	if h != nil && c.s.states[event] != nil {
		c.replaced(event)
	}
	c.s.states[event] = h
}

// Added is for receivers, which ask it before they look at their own table: set
// says that State was used for the event, and a nil handler that State removed it.
// With Config.Debug it is not checked: Event is, which every receiver asks first.
func (c *Context) Added(event string) (h Handler, set bool) {
	if c.s.states == nil {
		return nil, false
	}
	h, set = c.s.states[event]
	return h, set
}

// DetachChild gives a child to the kernel: this session gets _child("lose"), the
// child _parent (K88); in parallel mode, one that is busy is told when it is free.
// ErrNotChild when it is not this session's, or no longer (K89).
func (c *Context) DetachChild(child Address) error {
	c.check()
	t := c.resolve(child)
	if t == nil {
		return c.refuse("DetachChild", fmt.Errorf("detach %v: %w", child, ErrNoSession))
	}
	if !c.k.tree.move(t, c.s, c.k.root) {
		return c.refuse("DetachChild", fmt.Errorf("detach %v: %w of session %v", child, ErrNotChild, c.s.addr))
	}
	c.detached(t, c.s)
	return nil
}

// DetachMyself is DetachChild seen from the child (K90).
func (c *Context) DetachMyself() error {
	c.check()
	p := c.k.tree.leave(c.s, c.k.root)
	if p == nil {
		return c.refuse("DetachMyself", fmt.Errorf("detach %v: %w of any session but the kernel", c.s.addr, ErrNotChild))
	}
	c.detached(c.s, p)
	return nil
}

// detached tells that t, which was from's child, is the kernel's now.
func (c *Context) detached(t, from *session) {
	root, cause := c.k.root, c.ev.seq
	lose := from
	if !t.announced { // K91: nobody heard of it yet
		lose = root
	}
	c.ch.tell(lose, cause, func(ch *chain) {
		from.unhold(HoldChild, string(t.addr))
		parent := job(func(ch *chain, _, _ bool) { ch.tell(t, cause, func(*chain) {}, "_parent", from.addr, root.addr) })
		if t.state.Load()&bFront != 0 && t.pushFront(&event{kind: evJob, a: [2]any{parent}}) {
			return // there may be an earlier _parent
		}
		parent(ch, true, false)
	}, "_child", "lose", t.addr, nil)
}

// Sig has event called when a signal reaches this session: with the
// signal's name, the signal's own data, then args (K119). One handler per signal;
// a new one replaces it, and an empty event removes it. Any name will do; those
// of the operating system (INT, TERM, HUP, USR1 …) are caught while somebody
// watches them. A watch does not hold the session (K22). An empty name panics.
func (c *Context) Sig(name, event string, args ...any) {
	c.check()
	if err := checkSignal(name); err != nil {
		panic(err)
	}
	if f := c.k.obs.Watched; f != nil {
		f(c.s.addr, name, event)
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
	c.check()
	if w := c.ch.walk; w != nil && !w.handled {
		w.handled, w.by = true, c.s
	}
}

// Signal queues a signal to a session and its descendants, or to everyone when
// to is empty. Until it is dispatched it holds this session, as an event does. See
// Kernel.Signal.
func (c *Context) Signal(to Address, name string, args ...any) error {
	c.check()
	return c.refuse("Signal", c.k.send(c.s, to, name, args, c.ev.seq))
}

func checkSignal(name string) error {
	if name == "" || name == sigStop {
		return fmt.Errorf("%w: signal %q; want a name such as TERM", ErrArgument, name)
	}
	return nil
}
