package httpclient

import (
	"io"
	"net/http"
	"os"
	"reflect"
	"sync/atomic"
)

// requestBody sees to it that a request's body is closed, and closed once. Net/http
// closes it, unless the connection has ended before net/http looked at the request.
type requestBody struct {
	now     io.ReadCloser
	changed bool      // it is not the request's own
	closer  io.Closer // nil: closing it does nothing
}

// Bodies that net/http knows must reach it as they are: those that http.NewRequest
// makes of bytes and strings, which go out together with the headers, and files,
// which the system may send. They may be closed twice.
var (
	none              = reflect.TypeOf(http.NoBody)
	file              = reflect.TypeFor[*os.File]()
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(struct {
		io.Reader
		io.WriterTo
	}{}))
)

func (b *requestBody) own(body io.ReadCloser) {
	b.now, b.closer = body, nil
	switch reflect.TypeOf(body) {
	case nil, none, nopCloser, nopCloserWriterTo:
	case file:
		b.closer = body
	default:
		b.now, b.changed = &closeOnce{ReadCloser: body}, true
		b.closer = b.now
	}
}

// of is req with the body that is to be sent now.
func (b *requestBody) of(req *http.Request) *http.Request {
	if !b.changed {
		return req
	}
	with := *req
	with.Body = b.now
	return &with
}

// rewind makes the body whole again, for a request that is rewindable.
func (b *requestBody) rewind(req *http.Request) error {
	if bodyless(req) {
		return nil
	}
	b.close()
	body, err := req.GetBody()
	if err == nil {
		b.own(body)
		b.changed = true
	}
	return err
}

func (b *requestBody) close() {
	if b.closer != nil {
		_ = b.closer.Close()
	}
}

// closeOnce is a body that may be closed again.
type closeOnce struct {
	io.ReadCloser
	closed atomic.Bool
}

func (c *closeOnce) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	return c.ReadCloser.Close()
}
