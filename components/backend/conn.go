package backend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

// Conn is a persistent connection to a backend server: a session that registers,
// validates the connection by its ping policy, and makes it anew when it breaks.
// Its methods may be called from any goroutine.
type Conn struct {
	k    *kernel.Kernel
	cfg  Config
	self kernel.Address
}

// ConnState is a glimpse of a connection.
type ConnState struct {
	State      string // connecting, ready, suspect, reconnecting, closed
	Waiting    int    // messages not sent yet
	Asked      int    // requests not answered yet
	Calls      int    // requests sent so far
	Reconnects int
}

// open are the connections of this process, so that each is made once (B1, B20).
var open struct {
	sync.Mutex
	conns map[connKey]*Conn
}

type connKey struct {
	k     *kernel.Kernel
	host  string
	port  int
	alias string
}

// Open returns the kernel's connection to a server under an alias, and starts one
// if there is none. It does not wait: messages wait for the connection instead.
// Two that differ in host, port or alias are two connections (B2).
func Open(k *kernel.Kernel, cfg Config) (*Conn, error) {
	cfg, err := cfg.complete(os.Getpid())
	if err != nil {
		return nil, err
	}
	key := connKey{k, cfg.Host, cfg.Port, cfg.Alias}
	open.Lock()
	c := open.conns[key]
	open.Unlock()
	if c != nil {
		return c, nil
	}
	c = &Conn{k: k, cfg: cfg}
	w := newWire(c, key)
	c.self, err = k.Spawn(session.New(w.states()...), kernel.Alias(cfg.Alias))
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Connect is Open for a goroutine that wants to be sure: it waits for the first
// answer to a ping. When that fails, the connection is closed and not kept (B5).
// In a handler use Open.
func Connect(ctx context.Context, k *kernel.Kernel, cfg Config) (*Conn, error) {
	c, err := Open(k, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.Ping(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Send sends a message that wants no answer: to the server, or with m.To to a
// service. nil means that it will be sent, if the connection comes up before the
// Conn is closed.
func (c *Conn) Send(m Message) error {
	f, err := frameOf(m)
	if err != nil {
		return err
	}
	return c.submit(&outgoing{frame: f})
}

func (c *Conn) submit(o *outgoing) error {
	_, err := c.k.Call(context.Background(), c.self, evSubmit.Name(), o)
	return ended(err)
}

// Ask sends a request for the current session, which is kept until its answer is
// posted as event. The answer comes exactly once, as a Reply.
func (c *Conn) Ask(kc *kernel.Context, m Message, event kernel.Event[Reply]) error {
	f, err := frameOf(m)
	if err != nil {
		return err
	}
	lease := kc.Lease("backend request " + m.Name)
	o := &outgoing{frame: f, done: func(r Reply) {
		_ = lease.Post(event.Name(), r)
		lease.Release()
	}}
	if _, err := evSubmit.Call(kc, c.self, o); err != nil {
		lease.Release()
		return ended(err)
	}
	return nil
}

// Request sends a request and waits for its answer, until ctx ends. It blocks:
// in a handler use Ask.
func (c *Conn) Request(ctx context.Context, m Message) ([]any, error) {
	f, err := frameOf(m)
	if err != nil {
		return nil, err
	}
	return c.ask(ctx, f)
}

// Ping asks the server for a pong, and waits for it until ctx ends (B13).
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.ask(ctx, filter.Frame{Name: cmdPing, Args: []any{time.Now()}})
	return err
}

func (c *Conn) ask(ctx context.Context, f filter.Frame) ([]any, error) {
	answer := make(chan Reply, 1)
	if err := c.submit(&outgoing{frame: f, done: func(r Reply) { answer <- r }}); err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		return r.Args, r.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("backend: request %q: %w", f.Name, ctx.Err())
	}
}

// Close ends the connection. Requests without an answer fail. It does not wait.
func (c *Conn) Close() { _ = evClose.PostFrom(c.k, c.self, struct{}{}) }

// State returns a glimpse of the connection, ErrClosed when it has ended.
func (c *Conn) State() (ConnState, error) {
	v, err := c.k.Call(context.Background(), c.self, evGlimpse.Name())
	if err != nil {
		return ConnState{}, ended(err)
	}
	return v.(ConnState), nil
}

func frameOf(m Message) (filter.Frame, error) {
	if m.Name == "" {
		return filter.Frame{}, fmt.Errorf("%w: Message.Name is empty; want a command", ErrArgument)
	}
	return filter.Frame{Name: m.Name, Args: m.Args, To: m.To}, checkArgs(m.Args)
}

// checkArgs refuses at once what has no form on the wire.
func checkArgs(args []any) error {
	if err := filter.CheckArgs(args); err != nil {
		return fmt.Errorf("%w: %w", kernel.ErrNotEncodable, err)
	}
	return nil
}

// ended says in this package's words that a session is no more.
func ended(err error) error {
	if errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped) {
		return ErrClosed
	}
	return err
}
