package kernel

import (
	"context"
	"errors"
)

// Call runs the handler of another session, or of this one, at once, ahead of
// everything queued, and returns the value that handler gave to Return (K64).
// The handler's error, or its panic as an *Exception, is the call's error.
//
// Calls nest and re-enter: a session that is called back while it calls sees
// its own half-done state, as in POE (K66). In parallel mode Call waits while
// another chain of calls runs the session; it gets ErrDeadlock when that chain
// waits for this one, ErrStopped when the session stops first, and ErrTimeout
// after Config.CallTimeout. Nobody to call is ErrNoSession, nobody who handles
// the event ErrNoHandler; both come in a *PostError.
func (c *Context) Call(to Address, event string, args ...any) (any, error) {
	c.check()
	t := c.resolve(to)
	if t == nil {
		if to.elsewhere() {
			return c.k.callElsewhere(context.Background(), c, "Call", to, event, args)
		}
		return nil, c.refuse("Call", postError(to, event, args, ErrNoSession))
	}
	ev := newEvent(event, c.s, args)
	ev.via, ev.cause = ViaCall, c.ev.seq
	ret, err := c.ch.call(context.Background(), t, &ev)
	if err != nil {
		err = c.k.callError(c, "Call", to, event, args, err)
	}
	return ret, err
}

// CallContext is Call with a limit on the wait: when ctx ends first, the call
// is given up with ctx's error. A handler that already runs is not interrupted.
func (c *Context) CallContext(ctx context.Context, to Address, event string, args ...any) (any, error) {
	c.check()
	if err := ctx.Err(); err != nil {
		return nil, c.refuse("CallContext", postError(to, event, args, err))
	}
	t := c.resolve(to)
	if t == nil {
		if to.elsewhere() {
			return c.k.callElsewhere(ctx, c, "CallContext", to, event, args)
		}
		return nil, c.refuse("CallContext", postError(to, event, args, ErrNoSession))
	}
	ev := newEvent(event, c.s, args)
	ev.via, ev.cause = ViaCall, c.ev.seq
	ret, err := c.ch.call(ctx, t, &ev)
	if err != nil {
		err = c.k.callError(c, "CallContext", to, event, args, err)
	}
	return ret, err
}

// Call runs a session's handler on the calling goroutine, as Context.Call does;
// ctx and Config.CallTimeout limit the wait for a busy session. In serial mode it
// waits for the kernel's one token; in simulated mode it is refused (ErrRunning)
// while Run or Step of another goroutine has it. Inside a handler use
// Context.Call: this one does not know the caller, and in parallel mode it gets
// ErrDeadlock where Context.Call would have re-entered (in a _start that
// Kernel.Spawn runs before the kernel does, it waits until ctx ends).
func (k *Kernel) Call(ctx context.Context, to Address, event string, args ...any) (any, error) {
	return k.callFrom(ctx, nil, 0, to, event, args)
}

// callFrom is Call in the name of a stranger, or of nobody.
func (k *Kernel) callFrom(ctx context.Context, from *session, cause uint64, to Address, event string, args []any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, k.obs.refuse(nil, "Call", postError(to, event, args, err))
	}
	t := k.dir.find(to)
	if t == nil {
		if from == nil && to.elsewhere() {
			return k.callElsewhere(ctx, nil, "Call", to, event, args)
		}
		return nil, k.obs.refuse(nil, "Call", postError(to, event, args, ErrNoSession))
	}
	if d := k.cfg.CallTimeout; d > 0 && k.loop != nil {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, d, ErrTimeout)
		defer cancel()
	}
	visit, err := k.enter(ctx)
	if err != nil {
		return nil, k.obs.refuse(nil, "Call", postError(to, event, args, err))
	}
	defer visit.leave()
	ev := newEvent(event, from, args)
	ev.via, ev.cause = ViaCall, cause
	ret, err := visit.ch.call(ctx, t, &ev)
	if err != nil {
		err = k.callError(nil, "Call", to, event, args, err)
	}
	return ret, err
}

func newEvent(name string, from *session, args []any) event {
	ev := event{name: name, from: from}
	ev.setArgs(args)
	return ev
}

// callError wraps what the kernel says; what the handler said stays as it is.
func (k *Kernel) callError(c *Context, method string, to Address, name string, args []any, err error) error {
	for _, own := range []error{ErrNoSession, ErrStopped, ErrDeadlock, ErrTimeout, ErrNoHandler, context.Canceled, context.DeadlineExceeded} {
		if err == own {
			return k.obs.refuse(c, method, postError(to, name, args, err))
		}
	}
	var done *PostError
	if errors.Is(err, ErrDeadlock) && !errors.As(err, &done) {
		return k.obs.refuse(c, method, postError(to, name, args, err))
	}
	return err
}

// call runs t's handler on this chain, taking the token if the chain does not
// have it.
func (ch *chain) call(ctx context.Context, t *session, ev *event) (any, error) {
	k := ch.k
	if ev.name == "" {
		return nil, errNoName
	}
	if k.loop == nil && !ch.holds(t) {
		if !ch.take(t) {
			if err := k.calls.acquire(ctx, ch, t); err != nil {
				return nil, err
			}
		}
		defer ch.settle(t)
	}
	if t.dead || t.down() { // it was there when its address was resolved
		return nil, ErrStopped
	}
	if k.loop != nil {
		defer k.loop.settle(ch, t)
	}
	return ch.invoke(t, ev, 0)
}
