package backend

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Conn is a persistent connection to a backend server: a session that registers,
// validates the connection by its ping policy, and makes it anew when it breaks.
// Its methods may be called from any goroutine, but for those that take a
// kernel.Context, which answer the session that calls them.
type Conn struct {
	k       *kernel.Kernel
	cfg     Config
	dialect dialect
	self    kernel.Address // set by _start
	ids     atomic.Uint64
	txs     atomic.Pointer[txIDs] // set by _start
	open    openTx
}

var background = context.Background()

// Alias is what the connection's session is called.
func (c *Conn) Alias() string { return c.cfg.Alias }

// Send sends a message that wants no answer: to the server, or with m.To to a
// service. nil means that it will be sent when the connection is up, unless the
// Conn is closed first; what is sent while the connection breaks may be lost.
// Errors match ErrArgument, kernel.ErrNotEncodable, filter.ErrTooLong, ErrFull,
// ErrDown and ErrClosed.
func (c *Conn) Send(m Message) error {
	o, err := c.outgoing(m, nil)
	if err != nil {
		return err
	}
	return c.submit(o)
}

// Ask sends a request for the current session, which is kept until its answer is
// posted as event. The answer comes exactly once, as a Reply: it always does,
// after Config.Timeout at the latest; one that finds the session's kernel.QueueLimit
// reached is dropped and reported. Errors as with Send.
func (c *Conn) Ask(kc *kernel.Context, m Message, event kernel.Event[Reply]) error {
	return ask(c, kc, event, func(done func(Reply)) (*outgoing, error) { return c.outgoing(m, done) }, func(r Reply) Reply { return r })
}

// AskPing is Ping for a session: event brings the outcome, as a Reply.
func (c *Conn) AskPing(kc *kernel.Context, event kernel.Event[Reply]) error {
	return c.Ask(kc, pingMessage(kc.Now()), event)
}

// ask submits a request for the current session; event brings what of
// makes of its Reply.
func ask[T any](c *Conn, kc *kernel.Context, event kernel.Event[T], build func(func(Reply)) (*outgoing, error), of func(Reply) T) error {
	if err := c.mine(kc, "Ask", event.Name()); err != nil {
		return err
	}
	var lease *kernel.Lease
	o, err := build(func(r Reply) {
		if err := lease.Post(event.Name(), of(r)); errors.Is(err, kernel.ErrQueueFull) {
			c.k.Report("backend", "answer dropped: the asking session's QueueLimit is reached", err)
		}
		lease.Release()
	})
	if err != nil {
		return err
	}
	lease = kc.Lease("backend request " + o.name)
	if _, err := evSubmit.Call(kc, c.self, o); err != nil {
		lease.Release()
		return ended(err)
	}
	return nil
}

// mine refuses what a session of another kernel wants.
func (c *Conn) mine(kc *kernel.Context, method, event string) error {
	switch {
	case event == "":
		return fmt.Errorf("%w: %s without an event; want the one that is to bring the outcome", ErrArgument, method)
	case kc.Kernel() != c.k:
		return fmt.Errorf("%w: %s by a session of another kernel; open a connection in each", ErrArgument, method)
	}
	return nil
}

// Request sends a request and waits for its answer, until ctx ends. It blocks:
// in a handler use Ask. Errors as with Send; and ErrLost, ErrTimeout,
// *RemoteError, ctx's.
func (c *Conn) Request(ctx context.Context, m Message) ([]any, error) {
	r := c.wait(ctx, m.Name, func(done func(Reply)) (*outgoing, error) { return c.outgoing(m, done) })
	return r.Args, r.Err
}

// answers are channels through which requests outside handlers get theirs.
var answers = sync.Pool{New: func() any { return make(chan Reply, 1) }}

// wait submits a request and waits for what becomes of it.
func (c *Conn) wait(ctx context.Context, name string, build func(func(Reply)) (*outgoing, error)) Reply {
	if err := ctx.Err(); err != nil {
		return Reply{Err: fmt.Errorf("backend: request %q: %w", name, err)}
	}
	answer := answers.Get().(chan Reply)
	o, err := build(func(r Reply) { answer <- r })
	if err == nil {
		err = c.submit(o)
	}
	if err != nil {
		return Reply{Err: err}
	}
	select {
	case r := <-answer: // the only one: the channel may serve another request
		answers.Put(answer)
		return r
	case <-ctx.Done():
		late := late{o, fmt.Errorf("backend: request %q: %w", name, ctx.Err())}
		if !tell(c, evLate, late) {
			return Reply{Err: o.inVain(late.err)}
		}
	}
	select {
	case r := <-answer: // it has come now, whatever it is
		return r
	default:
		return Reply{Err: ErrClosed} // the session is no more
	}
}

// tell calls the session for what needs no answer. Where a kernel.Config.CallTimeout
// runs out, that is to come: then it is false.
func tell[T any](c *Conn, e kernel.Event[T], v T) bool {
	_, err := c.k.Call(background, c.self, e.Name(), v)
	if !errors.Is(err, kernel.ErrTimeout) {
		return true // a session that has ended does not care
	}
	_ = e.PostFrom(c.k, c.self, v)
	return false
}

// Ping asks the server for a pong, and waits for it until ctx ends (B13). Within
// ServerConfig.MinPing of the server's last word that word is as good.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Request(ctx, pingMessage(c.k.Now()))
	return err
}

func pingMessage(now time.Time) Message { return Message{Name: cmdPing, Args: []any{now}} }

// Drain closes the connection in good order: nothing new is taken, what waits is
// sent, answers are waited for, for at most Config.DrainTimeout. It does not wait
// for that; Closed, to those who watch, says that it is done. The alias is free at
// once: Open makes another connection.
func (c *Conn) Drain() { tell(c, evLeave, struct{}{}) }

// Close ends the connection. Requests without an answer fail with ErrLost or, if
// they were not sent yet, ErrClosed. What was sent is flushed, for at most five
// seconds; Close does not wait for that.
func (c *Conn) Close() { tell(c, evClose, struct{}{}) }

// outgoing encodes a message, on the caller's goroutine: its arguments may be
// changed afterwards. done makes it a request.
func (c *Conn) outgoing(m Message, done func(Reply)) (*outgoing, error) {
	f := filter.Frame{Name: m.Name, Args: m.Args, To: m.To}
	switch {
	case m.Client != "" && (m.To != "" || done != nil):
		return nil, fmt.Errorf("%w: Message.Client is %.64q; it goes with Send, and without Message.To", ErrArgument, m.Client)
	case m.Client != "":
		f.Name, f.Args = cmdClient, []any{m.Client, m.Name, m.Args}
	case m.Name == "":
		return nil, fmt.Errorf("%w: Message.Name is empty; want a command", ErrArgument)
	case done != nil && m.To != "":
		return nil, fmt.Errorf("%w: request with Message.To %q; only the server answers, so use Send", ErrArgument, m.To)
	}
	return c.frame(f, done)
}

func (c *Conn) frame(f filter.Frame, done func(Reply)) (*outgoing, error) {
	if done != nil {
		f.ID = c.ids.Add(1)
	}
	b, err := c.dialect.encode(f)
	return &outgoing{name: f.Name, id: f.ID, encoded: b, done: done}, err
}

func (c *Conn) submit(o *outgoing) error {
	_, err := c.k.Call(background, c.self, evSubmit.Name(), o)
	return ended(err)
}
