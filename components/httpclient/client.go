package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// Client asks HTTP servers on behalf of sessions, and answers them by events: what
// POE::Component::Client::HTTP is for POE. It is a session of its own.
//
//	ua, err := httpclient.New(k, httpclient.Config{Alias: "ua", Timeout: time.Minute})
//
//	func (r *reader) ask(c *kernel.Context) error {
//		req, err := http.NewRequest("GET", "http://poe.perl.org/", nil)
//		if err != nil {
//			return err
//		}
//		_, err = r.ua.Request(c, httpclient.Request{HTTP: req, Event: Answer})
//		return err
//	}
//
//	func (r *reader) answer(c *kernel.Context, res httpclient.Response) error {
//		if res.Err == nil {
//			fmt.Println(res.HTTP.Status, len(res.Body))
//		}
//		return nil
//	}
//
// # Answers
//
// Each request is answered by exactly one last Response, later and never at once,
// whatever becomes of it (A45). The only exception is a requester whose
// kernel.QueueLimit is reached: that is reported. A status such as 404 is an answer
// like others; where the server gave none, one is made up, and Response.Err says
// why (A117).
//
// With Config.Streaming the body comes in chunks, one event each, and the next is
// read only when the one before was taken with Response.Take:
//
//	func (p *player) answer(c *kernel.Context, res httpclient.Response) error {
//		if res.Last {
//			return p.file.Close()
//		}
//		_, err := p.file.Write(res.Take())
//		return err
//	}
//
// # Events
//
//	Request.Event     Response  each chunk of a stream; the last one, once
//	Request.Progress  Progress  see Config.ProgressEvery; none after the last Response
//
// What the client takes are EvRequest, EvCancel, EvShutdown, EvPending and EvStats.
//
// # Lifetime
//
// The session that asks is held until its last Response is posted. If it stops all
// the same, its requests are cancelled. A client without requests does not keep
// the program; the idle connections of its pool do, for the pool's KeepAlive,
// unless Shutdown ends them.
//
// # Goroutines
//
// Methods may be called from any goroutine, but for Request, which is for handlers.
// A request is performed by net/http's Client on a goroutine of its own, which ends
// when it has the answer, or is cancelled and the transport and the request's Body
// return. The client's session never waits for it.
//
// # Differences from POE
//
//   - Redirects, cookies, transfer and content codings, and what is HTTP at all,
//     are net/http's: no HTTP/0.9, no Protocol to choose, cookies by
//     http.CookieJar; a 303 is asked for with GET, and what is secret is not sent
//     to another host.
//   - A request whose time runs out in the middle of its body is a 408, and not an
//     answer with half a body.
//   - MaxSize is 64 MiB unless something else is said.
//   - A chunk must be taken within the Timeout.
//   - The request is not changed: what is added to it is in Response.HTTP.Request.
//   - Shutdown leaves a pool that was given in Config.Pool to its owner.
//   - There are request IDs and statistics.
//
// # Limits
//
// A server that sends an octet before each Timeout may go on until MaxSize, or
// with Streaming for ever: give the request's context a deadline. Answers of status
// 101 are not for events; use a RoundTripper.
type Client struct {
	k         *kernel.Kernel
	addr      kernel.Address
	cfg       Config
	transport http.RoundTripper
	stop      func()
	over      atomic.Bool // the session has ended
}

var (
	lastRequest atomic.Uint64
	lastClient  atomic.Uint64
)

func newID() RequestID { return RequestID(lastRequest.Add(1)) }

// New starts a client, with an alias that keeps it until Shutdown or until nothing
// else in the kernel is active. A bad Config is an ErrArgument that names the
// field; an alias that is taken is kernel.ErrAliasTaken. In simulated mode nobody
// waits for the goroutines on which requests are performed: it is refused.
func New(k *kernel.Kernel, cfg Config) (*Client, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, fmt.Errorf("%w: New's first argument is nil; want a *kernel.Kernel", ErrArgument)
	}
	if k.Mode() == kernel.Simulated {
		return nil, fmt.Errorf("%w: the kernel is simulated; want a parallel or a serial one, in a synctest bubble for time", ErrArgument)
	}
	if cfg.Alias == "" {
		cfg.Alias = fmt.Sprintf("httpclient-%d", lastClient.Add(1))
	}
	c := &Client{k: k, cfg: cfg, transport: cfg.Transport, stop: func() {}}
	if c.transport == nil {
		if c.transport, c.stop, err = defaultTransport(k, cfg); err != nil {
			return nil, err
		}
	}
	d := &desk{client: c, table: newTable(cfg.MaxRequests), known: map[kernel.Address]bool{}}
	c.addr, err = k.Spawn(d.session(), kernel.Alias(cfg.Alias))
	if err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// Address is where the events of this package are posted; Config.Alias is another.
func (c *Client) Address() kernel.Address { return c.addr }

// Request asks for one answer on behalf of the current session, which is held
// until the last Response is posted. After Shutdown that comes at once, as an
// event like every other (A117). An error means that none comes: an ErrArgument
// names what is missing, others are those of kernel.Context.Call.
func (c *Client) Request(x *kernel.Context, req Request) (RequestID, error) {
	if err := check(req); err != nil {
		return 0, err
	}
	if x.Kernel() != c.k {
		return 0, fmt.Errorf("%w: Request by a session of another kernel; make a client for each", ErrArgument)
	}
	var own *kernel.Lease
	if req.Hold == nil {
		own = x.Lease("http request")
		req.Hold = own
	}
	req.id = newID()
	_, err := EvRequest.Call(x, c.addr, req)
	switch {
	case err == nil:
		return req.id, nil
	case !ended(err):
		release(own)
		return 0, err
	}
	defer req.Hold.Release()
	closeBody(req.HTTP)
	r := Response{ID: req.id, Tag: req.Tag, Request: req.HTTP}
	r.refuse(ErrShutDown, nil)
	return req.id, req.Hold.Post(req.Event.Name(), r)
}

// Cancel ends a request: its requester gets a last Response of kind ErrCancelled
// (A116), the transport its context's end. ErrNoRequest: it is unknown, or was
// answered.
func (c *Client) Cancel(id RequestID) error {
	v, err := c.k.Call(context.Background(), c.addr, EvCancel.Name(), id)
	if ended(err) {
		return ErrNoRequest
	}
	if refused, ok := v.(error); ok {
		return refused
	}
	return err
}

// Pending is how many requests are not answered; 0 when the client has ended.
func (c *Client) Pending() int {
	s, _ := c.Stats()
	return s.Pending
}

// Stats counts the client's requests. ErrShutDown when it has ended.
func (c *Client) Stats() (Stats, error) {
	v, err := c.k.Call(context.Background(), c.addr, EvStats.Name())
	if ended(err) {
		return Stats{}, ErrShutDown
	}
	s, _ := v.(Stats)
	return s, err
}

// Shutdown ends the client: every pending request is answered with ErrShutDown,
// then the connections are closed, unless they are those of Config.Pool or
// Config.Transport, then the alias ends (A118). Later requests are answered with
// ErrShutDown. It may be called more than once. All of that is done when it returns,
// unless a kernel.Config.CallTimeout ran out: then it is to come.
func (c *Client) Shutdown() {
	if _, err := c.k.Call(context.Background(), c.addr, EvShutdown.Name()); errors.Is(err, kernel.ErrTimeout) {
		_ = EvShutdown.PostFrom(c.k, c.addr, struct{}{}) // a client that ended does not care
	}
}

// check refuses a request that cannot be answered.
func check(req Request) error {
	switch {
	case req.HTTP == nil || req.HTTP.URL == nil:
		return fmt.Errorf("%w: Request.HTTP is nil or has no URL; make it with http.NewRequest", ErrArgument)
	case req.Event == "":
		return fmt.Errorf("%w: Request.Event is empty; want the event that is to bring the Response", ErrArgument)
	case req.Proxy != nil:
		return checkProxy("Request.Proxy", req.Proxy)
	}
	return nil
}

func ended(err error) bool {
	return errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped)
}

// kindIn is the Kind of a response's Err.
func kindIn(err error) error {
	if e, ok := err.(*Error); ok {
		return e.Kind
	}
	return nil
}

func release(l *kernel.Lease) {
	if l != nil {
		l.Release()
	}
}
