package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

var lastTransport atomic.Uint64

// init makes the http.Transport behind ours. Its hooks find what they are to
// return in the context that open gives to NewClientConn.
func (t *Transport) init() {
	t.use = fmt.Sprintf("http %d", lastTransport.Add(1))
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return opened(ctx).wire, nil }
	cfg := t.TLSClientConfig.Clone()
	if cfg != nil {
		cfg.NextProtos = nil // HTTP/1.1 is what is left
	}
	t.http = &http.Transport{
		Proxy:                  func(r *http.Request) (*url.URL, error) { return opened(r.Context()).way.proxy, nil },
		DialContext:            dial,
		DialTLSContext:         dial,
		TLSClientConfig:        cfg,
		Protocols:              new(http.Protocols),
		ResponseHeaderTimeout:  t.ResponseHeaderTimeout,
		ExpectContinueTimeout:  t.ExpectContinueTimeout,
		MaxResponseHeaderBytes: t.MaxResponseHeaderBytes,
		DisableCompression:     t.DisableCompression,
	}
	t.http.Protocols.SetHTTP1(true)
}

// opening is a new connection on its way into an http.ClientConn.
type opening struct {
	way  route
	wire *wire
}

type openingKey struct{}

func opened(ctx context.Context) *opening { return ctx.Value(openingKey{}).(*opening) }

var errALPN = errors.New(`the server chose HTTP/2, which is not offered here; leave "h2" out of NextProtos in the pool's Config.TLS`)

// tunnelTime is what a proxy and TLS behind it may take, unless the context says less.
const tunnelTime = time.Minute

// open puts an http.ClientConn on the new connection of x, through the proxy if there
// is one. After an error the connection is closed.
func (t *Transport) open(ctx context.Context, way *route, x *exchange) error {
	w := newWire(t, x.conn.NetConn(), way.tunnel())
	x.wire, x.reused, w.user = w, x.conn.Reused(), x
	if w.tls != nil && w.tls.NegotiatedProtocol == "h2" {
		_ = w.Close()
		return fmt.Errorf("httpclient: %v: %w", x.conn.Key(), errALPN)
	}
	t.remember(w)
	x.conn.Attach(attached{w})
	within := ctx
	if w.tunnel {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, tunnelTime)
		defer cancel()
	}
	var err error
	w.http, err = t.http.NewClientConn(context.WithValue(within, openingKey{}, &opening{*way, w}), way.scheme, way.target())
	if err != nil {
		_ = w.Close()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	traceGot(ctx, w, x.reused, 0)
	return nil
}

// state is that of the TLS the pool has put on conn, nil without.
func state(conn net.Conn) *tls.ConnectionState {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return nil
	}
	s := secure.ConnectionState()
	return &s
}
