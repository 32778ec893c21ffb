package keepalive

import (
	"context"
	"errors"
)

// Get asks for a connection as Allocate does, and waits for it: for goroutines, and
// not for handlers, which it would block. The connection is the caller's until its
// Release or Close, whatever session there is. When ctx ends first, the request is
// cancelled, and the error, an *Error, matches context.Cause(ctx). Other errors are
// those of Allocate and of Response.Err. The kernel must be running. In simulated
// mode, where nothing waits, use Allocate.
func (p *Pool) Get(ctx context.Context, scheme, addr string, port int) (*Conn, error) {
	return p.GetFor(ctx, Request{Scheme: scheme, Addr: addr, Port: port})
}

// GetFor is Get with all that a Request can say; its Event and Context are not used.
func (p *Pool) GetFor(ctx context.Context, req Request) (*Conn, error) {
	o, err := p.order(req)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, &Error{Function: "connect", Key: o.key, Err: context.Cause(ctx)}
	}
	o.got = make(chan Response, 1)
	if _, err := p.k.Call(background, p.addr, evAllocate.Name(), o); err != nil {
		return nil, ended(err)
	}
	var r Response
	select {
	case r = <-o.got:
	case <-ctx.Done():
		err := p.Deallocate(o.id)
		if err == nil {
			return nil, &Error{Function: "connect", Key: o.key, Err: context.Cause(ctx)}
		}
		if !errors.Is(err, ErrNoRequest) {
			return nil, err
		}
		r = <-o.got // it was answered meanwhile
	}
	if r.Err != nil {
		return nil, r.Err
	}
	if !r.Conn.l.take() {
		return nil, ended(r.Conn.l.notLent())
	}
	return r.Conn, nil
}
