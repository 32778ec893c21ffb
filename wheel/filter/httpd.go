package filter

import (
	"bytes"
	"net/http"
)

// HTTPDFilter reads HTTP/1.0 and HTTP/1.1 requests and writes responses, for a
// server that is made of events. Parsing is net/http's: what its server refuses
// is refused, and some things more. HTTP/0.9 and HTTP/2 are refused (F37).
//
// A server's handlers, with wheels:
//
//	func (s *server) request(c *kernel.Context, r filter.HTTPDRecord) error {
//		rw := s.open[c.Wheel()]
//		err := rw.Put(filter.HTTPResponse(r.Request, http.StatusOK, "hello\n"))
//		if r.Close {
//			rw.CloseFlushed()
//		}
//		return err
//	}
//
//	func (s *server) failed(c *kernel.Context, e *wheel.Error) error { // ErrorEvent
//		if refusal, ok := errors.AsType[*filter.HTTPError](e); ok {
//			return s.open[c.Wheel()].Put(refusal.Response()) // the wheel then ends by itself
//		}
//		return nil
//	}
//
// Pipelined requests come out one by one (F36); the responses are expected in
// the same order. A server that answers later can pause its input until then.
//
// A request with "Expect: 100-continue" is nothing special: without Streaming it
// comes out when its content is there, which clients send after a while (curl:
// a second) even if nobody asks for it. With Streaming its header comes first,
// and the server answers with HTTPResponse(r.Request, 100, "") or a refusal.
// Content over MaxContent is refused before it is sent. Any other expectation is
// refused with 417.
//
// After a request with Upgrade or CONNECT, what came behind it is untouched in
// Pending, for the filter that takes over.
type HTTPDFilter struct {
	c   HTTPDConfig
	in  input
	err *HTTPError // what made the stream unusable

	head headState

	// The request whose header was read and whose content was not, or nil.
	req     *http.Request
	header  int // its length; without Streaming it stays in the input until all is there
	at      int // how much of the input content has seen
	content content
}

var _ Filter[HTTPDRecord, *http.Response] = (*HTTPDFilter)(nil)

// HTTPD returns an HTTPDFilter with the defaults of HTTPDConfig.
func HTTPD() Filter[HTTPDRecord, *http.Response] {
	f, err := NewHTTPD(HTTPDConfig{})
	if err != nil {
		panic(err) // a bug in this package: the defaults contradict each other
	}
	return f
}

// NewHTTPD returns an HTTPDFilter, or an error that matches ErrConfig.
func NewHTTPD(c HTTPDConfig) (*HTTPDFilter, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	return &HTTPDFilter{c: c, in: input{field: "HTTPDConfig.MaxBuffer", max: c.MaxBuffer}}, nil
}

// Feed stores a copy of p; nothing once the stream is unusable.
func (f *HTTPDFilter) Feed(p []byte) {
	if f.err == nil {
		f.in.feed(p)
	}
}

// Next returns one request, or with Streaming one part of one. Its errors are
// *HTTPError, match ErrUnusable and carry the response to send; what was fed
// behind them is dropped, and every later call returns the same one (unlike
// F40): after a request that was not understood nobody knows where the next one
// begins.
func (f *HTTPDFilter) Next() (HTTPDRecord, bool, error) {
	if f.err != nil {
		return HTTPDRecord{}, false, f.err
	}
	rec, ok, refusal := f.next()
	if !ok && refusal == nil && f.in.over {
		refusal = refuseHTTP(http.StatusRequestEntityTooLarge, f.req, f.in.overflow())
	}
	if refusal != nil {
		f.err, f.req = refusal, nil
		f.in.skip(f.in.len())
		return HTTPDRecord{}, false, refusal
	}
	return rec, ok, nil
}

func (f *HTTPDFilter) next() (rec HTTPDRecord, ok bool, refusal *HTTPError) {
	if f.req == nil {
		block, refusal := f.head.find(&f.in, f.c.MaxHeader)
		if block == nil {
			return rec, false, refusal
		}
		req, refusal := parseHead(block)
		if refusal != nil {
			return rec, false, refusal
		}
		f.head = headState{}
		f.req, f.header, f.at = req, len(block), len(block)
		f.content = contentOf(req)
		if f.c.Streaming {
			f.in.skip(len(block))
			return f.give(HTTPDRecord{Request: req}), true, nil
		}
	}
	if f.c.Streaming {
		return f.piece()
	}
	return f.whole()
}

// whole gives out the request when its content is complete (F38).
func (f *HTTPDFilter) whole() (rec HTTPDRecord, ok bool, refusal *HTTPError) {
	p := f.in.bytes()
	for !f.content.done() {
		_, used, err := f.content.next(p[f.at:])
		f.at += used
		switch {
		case err != nil:
			return rec, false, refuseHTTP(http.StatusBadRequest, f.req, err)
		case f.content.total > uint64(f.c.MaxContent):
			return rec, false, refuseHTTP(http.StatusRequestEntityTooLarge, f.req, f.tooLong())
		case used == 0:
			return rec, false, nil
		}
	}
	req, body := f.req, []byte(nil)
	if f.content.chunked {
		var err error
		if req, body, err = readChunked(p[:f.at]); err != nil {
			return rec, false, refuseHTTP(http.StatusBadRequest, f.req, err)
		}
	} else {
		body = bytes.Clone(p[f.header:f.at])
	}
	setBody(req, body)
	f.in.skip(f.at)
	return f.give(HTTPDRecord{Request: req}), true, nil
}

// piece gives out what there is of the content (F43).
func (f *HTTPDFilter) piece() (rec HTTPDRecord, ok bool, refusal *HTTPError) {
	for {
		data, used, err := f.content.next(f.in.bytes())
		if err == nil && f.content.done() {
			err = f.content.readTrailer(f.req)
		}
		if err != nil {
			return rec, false, refuseHTTP(http.StatusBadRequest, f.req, err)
		}
		data = append([]byte(nil), data...)
		f.in.skip(used)
		if len(data) > 0 || f.content.done() {
			return f.give(HTTPDRecord{Request: f.req, Piece: data}), true, nil
		}
		if used == 0 {
			return rec, false, nil
		}
	}
}

// give marks the last record of a request, and is then ready for the next one.
func (f *HTTPDFilter) give(rec HTTPDRecord) HTTPDRecord {
	if f.content.done() {
		rec.Last = true
		f.req, f.content = nil, content{}
	}
	return rec
}

func (f *HTTPDFilter) tooLong() error {
	return &LimitError{
		What: "content", Field: "HTTPDConfig.MaxContent", Limit: f.c.MaxContent, Size: f.content.total, fatal: true,
		remedy: "raise it, set Streaming, or have the peer send less",
	}
}

// Pending returns a copy of the unparsed input. Without Streaming that is all of
// an unfinished request, so that another filter can begin with it; with
// Streaming, what was given out is not repeated.
func (f *HTTPDFilter) Pending() []byte { return f.in.pending() }
