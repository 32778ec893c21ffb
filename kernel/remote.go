package kernel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
)

// Remote takes what goes to addresses with '@', which are sessions on other nodes.
// Components implement it (cluster); programs post to such addresses and need not
// know. Its methods are for any goroutine; none but CallRemote may block.
type Remote interface {
	// Local is an address without this kernel's own node: of "logger@node-1", on that
	// node, "logger" and true. Such an address needs none of the other methods.
	Local(a Address) (Address, bool)

	// PostRemote accepts an event, or says why not. Its error is Post's; one for
	// errors.Is that callers know comes in a *PostError.
	PostRemote(o Outgoing) error

	// CallRemote waits for the handler's value, or until ctx ends, and as long as
	// Kernel.CallTimeout says, or 30 s where that is 0. What it returns is Call's.
	CallRemote(ctx context.Context, o Outgoing) (any, error)

	// MonitorRemote has o.Event posted to o.From, once, when the session o.To has
	// stopped or its node is lost: with o.To, then o.Args.
	MonitorRemote(o Outgoing) error
}

// Outgoing is an event for a session on another node.
type Outgoing struct {
	From  Address // the sender's ID; empty: a goroutine outside any session
	To    Address
	Event string
	Args  []any  // the Remote's to keep
	Cause uint64 // with an Observer: the number of the event whose handler sent this one
}

// AttachRemote has r take what goes to other nodes, until detach is called. A kernel
// has one Remote: a second one is ErrArgument. Without one, other nodes are
// ErrNoNode.
func (k *Kernel) AttachRemote(r Remote) (detach func(), err error) {
	if !k.remote.CompareAndSwap(nil, &r) {
		return nil, fmt.Errorf("%w: the kernel is part of a cluster already; leave that first", ErrArgument)
	}
	return func() { k.remote.CompareAndSwap(&r, nil) }, nil
}

// elsewhere reports whether an address names a node. Aliases have no '@'.
func (a Address) elsewhere() bool { return strings.IndexByte(string(a), '@') >= 0 }

var errNoRemote = fmt.Errorf("%w: this kernel is in no cluster; join one first", ErrNoNode)

// remotely is whoever takes an event to another node, or the address without this one.
func (k *Kernel) remotely(to Address) (r Remote, here Address, err error) {
	p := k.remote.Load()
	if p == nil {
		return nil, "", errNoRemote
	}
	if here, ok := (*p).Local(to); ok && !here.elsewhere() {
		return nil, here, nil
	}
	return *p, "", nil
}

// outgoing copies args, so that the caller's variadic slice need not escape.
func outgoing(from *session, to Address, event string, args []any) Outgoing {
	return Outgoing{From: addr(from), To: to, Event: event, Args: append([]any(nil), args...)}
}

// postElsewhere is Context.Post to another node.
func (c *Context) postElsewhere(to Address, event string, args []any) error {
	if event == "" {
		return c.refuse("Post", postError(to, event, args, errNoName))
	}
	r, here, err := c.k.remotely(to)
	switch {
	case err != nil:
		return c.refuse("Post", postError(to, event, args, err))
	case r == nil:
		return c.Post(here, event, args...)
	case c.s.inStop:
		c.lose(to, event, args, ReasonSenderStopped)
		return nil
	}
	o := outgoing(c.s, to, event, args)
	if c.k.obs.on {
		ev := newEvent(event, c.s, args)
		ev.cause = c.ev.seq
		c.k.obs.stamp(c.ch, &ev, c.k.stranger(to))
		o.Cause = ev.seq
	}
	return c.refuseOwn("Post", r.PostRemote(o))
}

// postElsewhere is Kernel.Post to another node.
func (k *Kernel) postElsewhere(to Address, event string, args []any) error {
	r, here, err := k.remotely(to)
	switch {
	case err == nil && event == "":
		err = errNoName
	case err == nil && r == nil:
		return k.Post(here, event, args...)
	}
	if err != nil {
		return k.obs.refuse(nil, "Post", postError(to, event, args, err))
	}
	o := outgoing(nil, to, event, args)
	if k.obs.on {
		ev := newEvent(event, nil, args)
		k.obs.stamp(nil, &ev, k.stranger(to))
		o.Cause = ev.seq
	}
	return k.refuseOwn(nil, "Post", r.PostRemote(o))
}

// callElsewhere is a call to another node.
func (k *Kernel) callElsewhere(ctx context.Context, c *Context, method string, to Address, event string, args []any) (any, error) {
	r, here, err := k.remotely(to)
	switch {
	case err == nil && event == "":
		err = errNoName
	case err == nil && r == nil && c != nil:
		return c.CallContext(ctx, here, event, args...)
	case err == nil && r == nil:
		return k.Call(ctx, here, event, args...)
	}
	if err != nil {
		return nil, k.obs.refuse(c, method, postError(to, event, args, err))
	}
	var from *session
	if c != nil {
		from = c.s
	}
	o := outgoing(from, to, event, args)
	if c != nil {
		o.Cause = c.ev.seq
	}
	ret, err := r.CallRemote(ctx, o)
	return ret, k.refuseOwn(c, method, err)
}

// monitorElsewhere is Monitor of a session on another node.
func (c *Context) monitorElsewhere(to Address, event string, args []any) error {
	r, here, err := c.k.remotely(to)
	switch {
	case err != nil:
		return c.refuse("Monitor", postError(to, event, args, err))
	case r == nil:
		return c.Monitor(here, event, args...)
	}
	return c.refuseOwn("Monitor", r.MonitorRemote(outgoing(c.s, to, event, args)))
}

func (c *Context) refuseOwn(method string, err error) error { return c.k.refuseOwn(c, method, err) }

// refuseOwn shows an error to observers unless it is a handler's.
func (k *Kernel) refuseOwn(c *Context, method string, err error) error {
	if own := (*PostError)(nil); errors.As(err, &own) {
		return k.obs.refuse(c, method, err)
	}
	return err
}

// Lost tells the observer of an event that was accepted for another node and will
// not be handled, or nobody knows whether it was: why says so. It is for a Remote.
func (k *Kernel) Lost(o Outgoing, why Reason) {
	ev := newEvent(o.Event, nil, o.Args)
	if o.From != "" {
		ev.from = k.stranger(o.From)
	}
	ev.cause = o.Cause
	k.obs.drop(&ev, k.stranger(o.To), why)
}

// Strangers are sessions of another node, which send events here by way of a Remote.
type Strangers struct {
	k       *Kernel
	handled atomic.Uint64
}

// Strangers makes them, for one other node.
func (k *Kernel) Strangers() *Strangers { return &Strangers{k: k} }

// Handled counts those of their posts that were handled or dropped: a Remote that
// counts what it posts knows how many wait.
func (g *Strangers) Handled() uint64 { return g.handled.Load() }

// Stranger is one of them.
type Stranger struct{ s *session }

// From is the one with an address, which handlers get from Context.Sender; posting to
// it should reach the session. Keep what From returns as long as events of it wait:
// in simulated mode the order of one Stranger's posts is kept, not that of two.
func (g *Strangers) From(a Address) *Stranger {
	s := g.k.stranger(a)
	s.strange = &g.handled
	return &Stranger{s}
}

// stranger stands for a session that is not here.
func (k *Kernel) stranger(a Address) *session {
	s := &session{k: k, id: math.MaxUint64, addr: a}
	s.holds.Store(1)
	return s
}

// Post delivers an event as Kernel.Post does; cause is the number it had on its own
// node, for observers.
func (t *Stranger) Post(to Address, cause uint64, event string, args ...any) error {
	k := t.s.k
	s := k.dir.find(to)
	if s == nil {
		return postError(to, event, args, ErrNoSession)
	}
	ev := newEvent(event, t.s, args)
	ev.cause = cause
	if err := k.postOutside(s, &ev); err != nil {
		return postError(to, event, args, err)
	}
	return nil
}

// Call runs a handler as Kernel.Call does, on this goroutine.
func (t *Stranger) Call(ctx context.Context, to Address, cause uint64, event string, args ...any) (any, error) {
	return t.s.k.callFrom(ctx, t.s, cause, to, event, args)
}

// CallIn is Call from inside a handler, which c is the context of.
func (t *Stranger) CallIn(c *Context, ctx context.Context, to Address, cause uint64, event string, args ...any) (any, error) {
	c.check()
	s := c.resolve(to)
	if s == nil {
		return nil, postError(to, event, args, ErrNoSession)
	}
	ev := newEvent(event, t.s, args)
	ev.via, ev.cause = ViaCall, cause
	ret, err := c.ch.call(ctx, s, &ev)
	if err != nil {
		err = c.k.callError(c, "Call", to, event, args, err)
	}
	return ret, err
}
