package httpd

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Request is one request. Its *http.Request has the method, the URL, the headers
// and the context, which ends when the client leaves or the answer is complete.
// For a route the URL is whole: scheme, Config.Hostname, port and path, whatever
// the Host header says, which is in Host (H34).
type Request struct {
	*http.Request

	// Content is the body; http.Request.Body reads it once more. It is nil for
	// requests that no route matched, whose body nobody has read.
	Content []byte

	Connection *Connection
}

// A body that was not read is answered with one of these (H31, H33).
func bodyCode(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// read takes the whole body in (H30, H33).
func (s *Server) read(w http.ResponseWriter, req *Request) error {
	r := req.Request
	if r.ContentLength == 0 {
		return nil
	}
	if m := s.cfg.MaxBody; m > 0 {
		if r.ContentLength > m { // a client that waits for "100 Continue" sends nothing
			return &http.MaxBytesError{Limit: m}
		}
		r.Body = http.MaxBytesReader(w, r.Body, m)
	}
	var buf bytes.Buffer
	if n := r.ContentLength; n > 0 {
		buf.Grow(int(min(n, maxTrust)) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(r.Body); err != nil {
		return err
	}
	req.Content = buf.Bytes()
	r.Body = io.NopCloser(bytes.NewReader(req.Content))
	return nil
}

// maxTrust is how much memory a mere Content-Length is worth.
const maxTrust = 64 << 10

// limitRead gives the body its time. The limit has to go with the body's end:
// net/http goes on reading, to see the client leave, and a timeout would look like
// that.
//
// The Request with another body is a copy: net/http looks into its own again.
func (s *Server) limitRead(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.ContentLength == 0 {
		return r
	}
	with := *r
	if d := s.cfg.ReadTimeout; d > 0 {
		rc := http.NewResponseController(w)
		if rc.SetReadDeadline(deadline(d)) == nil {
			with.Body = &timedBody{r.Body, rc}
		}
	}
	return &with
}

type timedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && b.rc != nil {
		_ = b.rc.SetReadDeadline(time.Time{})
		b.rc = nil
	}
	return n, err
}

// complete makes the URL whole (H34).
func complete(r *http.Request, c *conn) {
	r.URL.Scheme, r.URL.Host = "http", c.authority
	if r.TLS != nil {
		r.URL.Scheme = "https"
	}
}
