package filter

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// Append appends status line, header and content to dst (F44). resp is not
// changed, but its Body is read to the end and closed.
//
// Body must be in memory, because Append does not block: nil, http.NoBody, or a
// reader that has a Len method, such as those of bytes and strings, plain or in
// io.NopCloser. Anything else is refused unread. For content that is made bit
// by bit, send a Response with Close, ContentLength -1 and no Body, exchange the
// filter for Stream, and close the connection at the end.
//
// Set Request: to HEAD the content is left out, to CONNECT its length too; to
// HTTP/1.0 the answer is HTTP/1.0, otherwise HTTP/1.1; and Connection says
// whether Request.Close or Close end the connection, which is up to the caller.
// Content-Length is the length of Body. A ContentLength of -1 or a
// TransferEncoding of chunked ask for chunks, in which Trailer can be sent;
// with HTTP/1.0, and for -1 with Close, the connection's end is that of the
// content. Content-Length, Transfer-Encoding and Trailer in Header are left out.
// CR and LF in Status or in values become spaces, fields with invalid names are
// left out.
//
// Errors match ErrNotEncodable, and http.ErrBodyNotAllowed for content where
// the status has none.
func (f *HTTPDFilter) Append(dst []byte, resp *http.Response) ([]byte, error) {
	r, err := outgoing(resp)
	if err == nil {
		w := responseBytes(dst)
		if err = r.Write(&w); err == nil {
			return w, nil
		}
	}
	return dst, fmt.Errorf("filter: response %w: %w", ErrNotEncodable, err)
}

type responseBytes []byte

func (a *responseBytes) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// outgoing returns a copy of resp that http.Response.Write sends as it should.
func outgoing(resp *http.Response) (*http.Response, error) {
	if err := checkResponse(resp); err != nil {
		return nil, err
	}
	size, err := bodySize(resp.Body)
	if err != nil {
		return nil, err
	}
	r := *resp
	r.Status = oneLine.Replace(r.Status)
	method := ""
	if resp.Request != nil {
		method = resp.Request.Method
	}
	if method != http.MethodHead {
		r.Request = nil // Write looks for HEAD, and for POST in a way that spoils a 204
	}
	r.ProtoMajor, r.ProtoMinor = 1, 1
	if isOld(resp) {
		r.ProtoMinor = 0
	}
	tunnel := method == http.MethodConnect && r.StatusCode/100 == 2
	switch {
	case !tunnel && !noContent(r.StatusCode):
		if err := frameContent(&r, size); err != nil {
			return nil, err
		}
	case size > 0:
		return nil, fmt.Errorf("%d to %q: %w; leave Body empty", r.StatusCode, method, http.ErrBodyNotAllowed)
	default:
		r.ContentLength, r.Body, r.TransferEncoding = 0, nil, nil
	}
	switch {
	case tunnel:
		// No length (RFC 9110, 9.3.6). Uncompressed keeps Write from adding
		// "Connection: close" because of that.
		r.ContentLength, r.Uncompressed = -1, true
	case r.StatusCode/100 != 1 && resp.Request != nil:
		sayClose(&r, resp.Request)
	}
	return &r, nil
}

// isOld reports whether the answer is HTTP/1.0: by itself, or because the
// request was.
func isOld(resp *http.Response) bool {
	req := resp.Request
	return resp.ProtoMajor == 1 && resp.ProtoMinor == 0 ||
		req != nil && req.ProtoMajor == 1 && req.ProtoMinor == 0
}

// sayClose says whether the connection ends, where the peer would not know.
func sayClose(r *http.Response, req *http.Request) {
	r.Close = r.Close || req.Close
	if r.Close || r.ProtoMinor > 0 {
		return
	}
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Connection", "keep-alive") // it asked for that, or Close would be set
}

// frameContent decides how the peer finds the end of the content.
func frameContent(r *http.Response, size int64) error {
	if r.Body == nil {
		r.Body = http.NoBody // Write forgets about chunks without a Body
	}
	asked := len(r.TransferEncoding) > 0 && r.TransferEncoding[0] == "chunked"
	unknown := asked || r.ContentLength < 0
	r.TransferEncoding = nil
	switch {
	case unknown && r.ProtoAtLeast(1, 1) && (asked || !r.Close):
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	case unknown:
		r.ContentLength, r.Close = -1, true
	case r.ContentLength == 0:
		r.ContentLength = size // Write would take it for unknown
	case r.ContentLength != size && r.Request == nil: // to HEAD a length needs no content
		return fmt.Errorf("its ContentLength is %d, its Body holds %d bytes; leave ContentLength 0", r.ContentLength, size)
	}
	return nil
}

// checkResponse refuses what http.Response.Write would let through.
func checkResponse(resp *http.Response) error {
	switch {
	case resp == nil:
		return fmt.Errorf("it is nil; use HTTPResponse")
	case resp.StatusCode < 100 || resp.StatusCode > 999:
		return fmt.Errorf("its StatusCode is %d; want three digits", resp.StatusCode)
	}
	for name := range resp.Trailer {
		if strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == ',' || c == ':' }) {
			return fmt.Errorf("its Trailer has a field %q; want a field name", name)
		}
	}
	for name := range resp.Header {
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case "Content-Length", "Transfer-Encoding", "Trailer":
			if name != canonical {
				return fmt.Errorf("its Header has a field %q; use the fields of Response instead", name)
			}
		}
	}
	return nil
}

func noContent(status int) bool {
	return status/100 == 1 || status == http.StatusNoContent || status == http.StatusNotModified
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// bodySize returns how much is left in a Body that is in memory.
func bodySize(body io.Reader) (int64, error) {
	if body == nil || body == http.NoBody {
		return 0, nil
	}
	inner := body
	switch v := reflect.ValueOf(body); v.Type() {
	case nopCloser, nopCloserWriterTo:
		inner, _ = v.Field(0).Interface().(io.Reader)
	}
	if sized, ok := inner.(interface{ Len() int }); ok {
		return int64(sized.Len()), nil
	}
	return 0, fmt.Errorf("its Body is a %T, which may block; read it before, into a bytes.Reader", body)
}

// What io.NopCloser returns. net/http looks into it in the same way.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(strings.NewReader("")))
)
