package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// arrive takes an event, or a call, of another node for a key. recv is held.
func (p *placement) arrive(from *peer, a Arrival, f filter.Frame, stream uint64) error {
	i := shardOf(string(a.To), len(p.count))
	if f.ID == 0 && stream <= from.streams[i] {
		return errNotOwner // it came behind one that was refused
	}
	sender := from.strangers.from(a.From)
	w := waiter{
		post: func(id kernel.Address) error { return from.strangers.postAs(sender, id, a, f.Cause) },
		lost: func(err error) {
			p.n.lose(kernel.Outgoing{From: a.From, To: a.To + "@" + ownerNode, Event: a.Event, Args: a.Args, Cause: f.Cause}, err)
		},
	}
	if f.ID != 0 {
		asks := from.asking(f)
		w.call = true
		w.post = func(id kernel.Address) error {
			return from.start(asks, func(ctx context.Context, c *kernel.Context) (any, error) {
				return callAs(ctx, c, sender, id, a, f.Cause)
			})
		}
		w.lost = func(err error) { from.reply(asks, nil, err) }
	}
	start, err := p.deliver(a.To, w)
	p.begin(start)
	if err != nil && f.ID == 0 && elsewhere(err) {
		from.streams[i] = stream
	}
	return err
}

// callAs calls a session for a key. errNotOwner: it had just ended.
func callAs(ctx context.Context, c *kernel.Context, sender *kernel.Stranger, id kernel.Address, a Arrival, cause uint64) (v any, err error) {
	if c != nil {
		v, err = sender.CallIn(c, ctx, id, cause, a.Event, a.Args...)
	} else {
		v, err = sender.Call(ctx, id, cause, a.Event, a.Args...)
	}
	var own *kernel.PostError
	if errors.As(err, &own) && own.To == id && (own.Err == kernel.ErrNoSession || own.Err == kernel.ErrStopped) {
		err = errNotOwner
	}
	return v, err
}

// call asks the session for a key, wherever that is.
func (p *placement) call(ctx context.Context, o kernel.Outgoing) (any, error) {
	path, _ := split(o.To)
	if _, _, err := keyOf(path); err != nil {
		return nil, err
	}
	i := shardOf(string(path), len(p.count))
	until := p.n.k.Now().Add(p.n.cfg.CallTimeout)
	for delay := firstTry; ; delay = min(2*delay, lastTry) {
		v, err, again := p.callOnce(ctx, i, path, o)
		switch {
		case !again:
			return v, err
		case !p.n.k.Now().Add(delay).Before(until):
			return nil, fmt.Errorf("%w after %v (Config.CallTimeout): %w", kernel.ErrTimeout, p.n.cfg.CallTimeout, public(err))
		}
		if e := p.n.pause(ctx, delay); e != nil {
			return nil, fmt.Errorf("%w: %w", e, public(err))
		}
	}
}

// callOnce also says whether the call was not begun and may be made again.
func (p *placement) callOnce(ctx context.Context, i int, path kernel.Address, o kernel.Outgoing) (v any, err error, again bool) {
	if p.n.left.Load() {
		return nil, ErrLeft, false
	}
	target := p.target(i)
	if target == p.n.cfg.Name {
		v, err = p.callHere(ctx, path, o)
		return v, err, errors.Is(err, errNotOwner)
	}
	other := p.n.peer(target)
	if other == nil {
		return nil, errNobody, true
	}
	v, err = other.call(ctx, string(path)+"@"+ownerNode+"/0", o)
	return v, err, elsewhere(err)
}

// public is errNotOwner as others see it.
func public(err error) error {
	if errors.Is(err, errNotOwner) {
		return fmt.Errorf("%w: %v", ErrNotOwner, err)
	}
	return err
}

// callHere calls the session for a key on this node. It is started on this goroutine: in
// a serial kernel's handler nothing else runs meanwhile.
func (p *placement) callHere(ctx context.Context, path kernel.Address, o kernel.Outgoing) (any, error) {
	as := func(id kernel.Address) (any, error) {
		return callAs(ctx, nil, p.n.k.Strangers().From(o.From), id, Arrival{Event: o.Event, Args: o.Args}, o.Cause)
	}
	if p.runs(path, o.From) { // by itself
		if p.n.k.Mode() == kernel.Parallel {
			return nil, fmt.Errorf("%w: %s calls itself while its shard moves, or in its _start", kernel.ErrDeadlock, path)
		}
		return as(o.From)
	}
	var id kernel.Address
	told := call{promise: promise{over: make(chan struct{})}}
	start, err := p.deliver(path, waiter{
		call: true,
		post: func(a kernel.Address) error { id = a; told.end(nil, nil); return nil },
		lost: func(err error) { told.end(nil, err) },
	})
	if err != nil {
		return nil, err
	}
	if o.From != "" && p.n.k.Mode() != kernel.Parallel && !told.done.Load() {
		if start = p.unbegun(path); start == nil {
			return nil, fmt.Errorf("%w: the _start or _stop of %s waits for this call", kernel.ErrDeadlock, path)
		}
	}
	if start != nil {
		p.start(start)
	}
	if _, err := told.await(ctx, p.n); err != nil {
		return nil, err
	}
	return as(id)
}

// runs reports whether an ID is that of the session for a path.
func (p *placement) runs(path, id kernel.Address) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.running[path]
	return s != nil && id != "" && s.id == id
}

// unbegun is the session for a path if nobody has begun to start it.
func (p *placement) unbegun(path kernel.Address) *keyed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.running[path]; s != nil && !s.begun {
		return s
	}
	return nil
}
