package filter

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// HTTPError refuses a request and ends the stream (F39). It matches ErrUnusable,
// and ErrTooLong or ErrMalformed. A wheel delivers it in its ErrorEvent, sends
// what is put there, and ends in good order.
type HTTPError struct {
	// Status is the one of the response:
	//
	//	400  request line, header, Content-Length, chunks or Host are malformed
	//	411  Transfer-Encoding in HTTP/1.0
	//	413  content over MaxContent, or input over MaxBuffer
	//	417  an expectation other than 100-continue
	//	431  header over MaxHeader
	//	501  a transfer coding other than chunked
	//	505  an HTTP version other than 1.0 and 1.1
	Status int

	// Request is what was read of it, without content; nil if its header could
	// not be read.
	Request *http.Request

	// Err says what came and what was wanted: a *LimitError, or it matches
	// ErrMalformed.
	Err error
}

var _ error = (*HTTPError)(nil)

func refuseHTTP(status int, req *http.Request, err error) *HTTPError {
	return &HTTPError{Status: status, Request: req, Err: err}
}

// Error names the response and the cause, of which it shows at most 300 bytes.
func (e *HTTPError) Error() string {
	why := strings.TrimPrefix(e.Err.Error(), "filter: ")
	return fmt.Sprintf("filter: request refused, %d %s: %.300s; send Response and close the connection",
		e.Status, http.StatusText(e.Status), why)
}

// Unwrap returns ErrUnusable and Err.
func (e *HTTPError) Unwrap() []error { return []error{ErrUnusable, e.Err} }

// Response returns a new response to send to the peer before the connection is
// closed. It repeats nothing that the peer sent.
func (e *HTTPError) Response() *http.Response {
	resp := HTTPResponse(e.Request, e.Status, fmt.Sprintf("%d %s\n", e.Status, http.StatusText(e.Status)))
	resp.Close = true
	return resp
}

// HTTPResponse returns a response of plain text to req, which may be nil; the
// caller may change it, its Content-Type too. Text has to be empty where the
// status has no content: 1xx, 204 and 304.
func HTTPResponse(req *http.Request, status int, text string) *http.Response {
	resp := &http.Response{
		StatusCode:    status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{},
		Request:       req,
		ContentLength: int64(len(text)),
		Body:          http.NoBody,
	}
	if text != "" {
		resp.Header.Set("Content-Type", "text/plain; charset=utf-8")
		resp.Body = io.NopCloser(strings.NewReader(text))
	}
	return resp
}
