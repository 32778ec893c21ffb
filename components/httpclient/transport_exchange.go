package httpclient

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/usher-go/usher/components/keepalive"
)

// exchange is one use of a connection: a request and its answer. It is also the
// answer's body.
type exchange struct {
	wire   *wire
	conn   *keepalive.Conn // released or closed by end, once
	reused bool
	over   sync.Once
	ctx    context.Context
	stop   context.CancelFunc // nil: nothing hangs on ctx
	body   io.ReadCloser

	// Of the connection, under wire.mu.
	begun          bool // something is being sent
	sent, received int64
	lost           error // what ended it, if not we
	upgraded       bool
}

// newExchange makes the use of conn by req. Net/http frees what it keeps for a
// request that failed only when the request's context ends, so that gets one of its
// own.
func newExchange(req *http.Request, conn *keepalive.Conn) *exchange {
	x := &exchange{conn: conn, ctx: req.Context()}
	//lint:ignore SA1019 http.Client sets Cancel
	if x.ctx.Done() != nil || req.Cancel != nil {
		x.ctx, x.stop = context.WithCancel(x.ctx)
	}
	return x
}

// roundTrip sends req, on a connection that is the exchange's.
func (x *exchange) roundTrip(req *http.Request) (*http.Response, error) {
	if x.stop != nil {
		req = req.WithContext(x.ctx)
	}
	resp, err := x.wire.http.RoundTrip(req)
	if err != nil {
		x.end(true) // the connection is as good as new if req was refused
		x.free()
		return nil, err
	}
	if resp.TLS == nil {
		resp.TLS = x.wire.tls
	}
	switch _, upgraded := resp.Body.(io.Writer); {
	case upgraded: // the connection's own Close is the end
		if x.wire.upgrade(x) {
			x.free()
		}
	case resp.Body == http.NoBody:
		x.end(true)
		x.free()
	default:
		x.body, resp.Body = resp.Body, x
	}
	return resp, nil
}

// Read reads the answer's body. At its end the connection is in the pool again
// before Read returns, so that the next request finds it there.
func (x *exchange) Read(p []byte) (int, error) {
	n, err := x.body.Read(p)
	if err != nil {
		x.end(err == io.EOF)
		x.free()
	}
	return n, err
}

// Close ends the use of the answer's body, and of a connection that has not all of
// it.
func (x *exchange) Close() error {
	err := x.body.Close()
	x.end(false)
	x.free()
	return err
}

// end gives the connection back, once: to the pool if that is wanted and net/http
// has nothing more to do on it, and otherwise closed. It has gone when end returns,
// whoever called it first.
func (x *exchange) end(keep bool) {
	keep = keep && x.wire.http.Available() > 0 // not inside: net/http may close the wire meanwhile, and wait for us
	x.over.Do(func() {
		// The errors say that the pool has ended the loan itself.
		if keep && x.wire.rest() {
			_ = x.conn.Release()
		} else {
			_ = x.conn.Close()
		}
	})
}

// free ends the context, when net/http has told all that it has to tell: before that,
// a connection that breaks would be reported as a request that was cancelled.
func (x *exchange) free() {
	if x.stop != nil {
		x.stop()
	}
}
