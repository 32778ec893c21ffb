package httpclient

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/usher-go/usher/components/keepalive"
)

// Transport is an http.RoundTripper over a keepalive.Pool. Its fields must not be
// changed after the first request. Those that http.Transport has too mean the same
// there.
type Transport struct {
	// Pool lends the connections. Required.
	Pool *keepalive.Pool

	// Proxy gives the URL of the proxy to use for a request; its scheme may be
	// http, https, socks5 or socks5h, and it may have a user and password. Nil, or
	// a nil URL: none. An error fails the request.
	Proxy func(*http.Request) (*url.URL, error)

	// TLSClientConfig is for https targets behind a proxy; all other TLS is the
	// pool's. Its NextProtos is not used. Nil trusts the system's roots.
	TLSClientConfig *tls.Config

	// ResponseHeaderTimeout is how long to wait for an answer's headers once the
	// request is sent. 0: as long as the request's context lasts.
	ResponseHeaderTimeout time.Duration

	// ExpectContinueTimeout is how long a request with "Expect: 100-continue"
	// waits for the server's word before it sends its body. 0: it does not wait.
	ExpectContinueTimeout time.Duration

	// MaxResponseHeaderBytes limits an answer's headers. 0 means net/http's own
	// limit, 10 MiB.
	MaxResponseHeaderBytes int64

	// DisableCompression keeps the Transport from asking for gzip, and from
	// unpacking it, on its own account.
	DisableCompression bool

	begin sync.Once
	http  *http.Transport // opens no connection itself
	use   string          // sets our connections in the pool apart

	mu    sync.Mutex
	wires map[*wire]struct{} // open ones
}

var _ http.RoundTripper = (*Transport)(nil)

// NewTransport is &Transport{Pool: pool}.
func NewTransport(pool *keepalive.Pool) *Transport { return &Transport{Pool: pool} }

// RoundTrip sends one request and returns its answer, as http.RoundTripper
// demands. It waits for a connection, and repeats a request as the package comment
// says. It is not for handlers.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.begin.Do(t.init)
	var body requestBody
	body.own(req.Body)
	var way route
	err := way.set(t, req)
	for try := 1; err == nil; try++ {
		var x *exchange
		way.ask.Fresh = try > 1 // so there is no third
		if x, err = t.connect(req, &way); err != nil {
			break
		}
		var resp *http.Response
		if resp, err = x.roundTrip(body.of(req)); err == nil {
			resp.Request = req
			return resp, nil
		}
		if err = x.verdict(req, err, try); err == errAgain {
			err = body.rewind(req)
		}
	}
	body.close()
	return nil, err
}

// connect lends a connection from the pool and, unless it has one already, puts
// an http.ClientConn on it.
func (t *Transport) connect(req *http.Request, way *route) (*exchange, error) {
	ctx := req.Context()
	traceGet(ctx, way)
	for {
		conn, err := t.Pool.GetFor(ctx, way.ask)
		if err != nil {
			return nil, err
		}
		x := newExchange(req, conn)
		kept, ok := conn.Attached().(attached)
		if !ok {
			if err := t.open(ctx, way, x); err != nil {
				x.free()
				return nil, err
			}
			return x, nil
		}
		if idle, ok := kept.wire.take(x); ok {
			traceGot(ctx, kept.wire, true, idle)
			return x, nil
		}
		x.end(false) // it ended after the pool had looked at it
		x.free()
	}
}

// CloseIdleConnections closes the connections of this Transport that are idle in
// the pool; http.Client's method of that name calls it. Their places in the pool
// come free when it next looks at them: within a second, or when one of them would
// be lent.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	var idle []*wire
	for w := range t.wires {
		if w.retire() {
			idle = append(idle, w)
		}
	}
	t.mu.Unlock()
	for _, w := range idle {
		_ = w.Close()
	}
}

func (t *Transport) remember(w *wire) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wires == nil {
		t.wires = map[*wire]struct{}{}
	}
	t.wires[w] = struct{}{}
}

func (t *Transport) forget(w *wire) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.wires, w)
}
