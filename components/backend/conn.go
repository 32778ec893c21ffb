package backend

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Conn is a persistent connection to a backend server: a session that registers,
// validates the connection by its ping policy, and makes it anew when it breaks.
// Its methods may be called from any goroutine, but for Ask, which answers the
// session that calls it.
type Conn struct {
	k     *kernel.Kernel
	cfg   Config
	codec codec
	self  kernel.Address // set by _start
	ids   atomic.Uint64
}

// ConnState is a glimpse of a connection.
type ConnState struct {
	State      string // connecting, ready, suspect, reconnecting, closed
	Waiting    int    // messages not sent yet
	Asked      int    // requests not answered yet
	Calls      int    // requests sent so far
	Reconnects int
}

// Send sends a message that wants no answer: to the server, or with m.To to a
// service. nil means that it will be sent when the connection is up, unless the
// Conn is closed first; what is sent while the connection breaks may be lost.
// Errors match ErrArgument, kernel.ErrNotEncodable, filter.ErrTooLong, ErrFull and
// ErrClosed.
func (c *Conn) Send(m Message) error {
	o, err := c.outgoing(m, nil)
	if err != nil {
		return err
	}
	return c.submit(o)
}

// Ask sends a request for the current session, which is kept until its answer is
// posted as event. The answer comes exactly once, as a Reply: it always does,
// after Config.Timeout at the latest. Errors as with Send.
func (c *Conn) Ask(kc *kernel.Context, m Message, event kernel.Event[Reply]) error {
	switch {
	case event == "":
		return fmt.Errorf("%w: Ask without an event; want the one that is to bring the Reply", ErrArgument)
	case kc.Kernel() != c.k:
		return fmt.Errorf("%w: Ask by a session of another kernel; open a connection in each", ErrArgument)
	}
	var lease *kernel.Lease
	o, err := c.outgoing(m, func(r Reply) {
		_ = lease.Post(event.Name(), r)
		lease.Release()
	})
	if err != nil {
		return err
	}
	lease = kc.Lease("backend request " + m.Name)
	if _, err := evSubmit.Call(kc, c.self, o); err != nil {
		lease.Release()
		return ended(err)
	}
	return nil
}

// Request sends a request and waits for its answer, until ctx ends. It blocks:
// in a handler use Ask. Errors as with Send; and ErrLost, ErrTimeout,
// *RemoteError, ctx's.
func (c *Conn) Request(ctx context.Context, m Message) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("backend: request %q: %w", m.Name, err)
	}
	answer := make(chan Reply, 1)
	o, err := c.outgoing(m, func(r Reply) { answer <- r })
	if err != nil {
		return nil, err
	}
	if err := c.submit(o); err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		return r.Args, r.Err
	case <-ctx.Done():
		_ = evLate.PostFrom(c.k, c.self, o) // nobody waits for it any more
		return nil, fmt.Errorf("backend: request %q: %w", m.Name, ctx.Err())
	}
}

// Ping asks the server for a pong, and waits for it until ctx ends (B13).
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Request(ctx, Message{Name: cmdPing, Args: []any{time.Now()}})
	return err
}

// Close ends the connection. Requests without an answer fail with ErrLost or, if
// they were not sent yet, ErrClosed. What was sent is flushed, for at most five
// seconds; Close does not wait for that.
func (c *Conn) Close() { _, _ = c.k.Call(context.Background(), c.self, evClose.Name()) }

// State returns a glimpse of the connection, ErrClosed when it has ended.
func (c *Conn) State() (ConnState, error) {
	v, err := c.k.Call(context.Background(), c.self, evGlimpse.Name())
	if err != nil {
		return ConnState{}, ended(err)
	}
	return v.(ConnState), nil
}

// outgoing encodes a message, on the caller's goroutine: its arguments may be
// changed afterwards. done makes it a request.
func (c *Conn) outgoing(m Message, done func(Reply)) (*outgoing, error) {
	f := filter.Frame{Name: m.Name, Args: m.Args, To: m.To}
	switch {
	case m.Name == "":
		return nil, fmt.Errorf("%w: Message.Name is empty; want a command", ErrArgument)
	case done != nil && m.To != "":
		return nil, fmt.Errorf("%w: request with Message.To %q; only the server answers, so use Send", ErrArgument, m.To)
	case done != nil:
		f.ID = c.ids.Add(1)
	}
	b, err := c.codec.encode(f)
	return &outgoing{name: m.Name, id: f.ID, encoded: b, done: done}, err
}

func (c *Conn) submit(o *outgoing) error {
	_, err := c.k.Call(context.Background(), c.self, evSubmit.Name(), o)
	return ended(err)
}
