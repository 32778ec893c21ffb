package keepalive

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// Get asks for a connection as Allocate does, and waits for it: for goroutines, and
// not for handlers, which it would block (in serial mode the whole kernel with it).
// The connection is the caller's until its Release or Close, whatever session there
// is.
//
// When ctx ends first, the request is cancelled, and the error, an *Error, matches
// context.Cause(ctx). Other errors are those of Allocate and of Response.Err.
//
// The kernel must be running: before Run, Get waits for it or for ctx's end; after
// Run, and when the pool has ended, the error is ErrShutDown. Neither a waiting Get
// nor the connection it got keeps the kernel running; kernel.Kernel.Hold does. In
// simulated mode, where nothing runs while somebody waits, the error is
// ErrWouldWait.
func (p *Pool) Get(ctx context.Context, scheme, addr string, port int) (*Conn, error) {
	return p.GetFor(ctx, Request{Scheme: scheme, Addr: addr, Port: port})
}

// GetFor is Get with all that a Request can say; its Event and Context are not used.
func (p *Pool) GetFor(ctx context.Context, req Request) (*Conn, error) {
	if p.k.Mode() == kernel.Simulated {
		return nil, fmt.Errorf("keepalive: Get: %w", ErrWouldWait)
	}
	o, err := p.order(&req)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, o.cancelled(ctx)
	}
	if conn := p.keeper.hit(o); conn != nil {
		return conn, nil
	}
	o.get = &getting{}
	if _, err := p.k.Call(ctx, p.addr, evAllocate.Name(), o); err != nil {
		if ctx.Err() != nil { // while another had the pool's turn
			return nil, o.cancelled(ctx)
		}
		return nil, ended(err)
	}
	if o.waiting {
		select {
		case <-o.get.done:
		case <-ctx.Done():
			switch err := p.Deallocate(o.id); {
			case err == nil:
				return nil, o.cancelled(ctx)
			case errors.Is(err, ErrNoRequest): // it was answered meanwhile
				<-o.get.done
			default: // a CallTimeout, or the pool's end: the answer comes all the same
				go o.drop()
				return nil, o.cancelled(ctx)
			}
		}
	}
	conn, err := o.get.take()
	if err == nil && !conn.l.take() {
		return nil, o.shutDown() // which alone takes back what was answered
	}
	return conn, err
}

// drop gives back what comes too late.
func (o *order) drop() {
	<-o.get.done
	if conn, err := o.get.take(); err == nil {
		_ = conn.Close()
	}
}

func (o *order) cancelled(ctx context.Context) error {
	return &Error{Function: "connect", Key: o.key, Err: context.Cause(ctx)}
}

func (o *order) shutDown() error {
	return &Error{Function: "shutdown", Key: o.key, Err: ErrShutDown}
}
