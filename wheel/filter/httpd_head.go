package filter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// maxBlankLines is how many blank lines may precede a request (F36). RFC 9112
// (2.2) asks for one.
const maxBlankLines = 64

// headState is what is known of a request line and header that are not complete.
type headState struct {
	blank   int  // lines skipped in front of it
	scanned int  // bytes that need not be searched for its end again
	lineOK  bool // the request line is complete and valid
}

// find returns the header block at the front of the input, its blank line
// included; nil while it is not complete.
func (h *headState) find(in *input, limit int) ([]byte, *HTTPError) {
	if refusal := h.skipBlank(in); refusal != nil {
		return nil, refusal
	}
	all := in.bytes()
	p := all[:min(len(all), limit)]
	end, again := headEnd(p, h.scanned)
	if end > 0 {
		return p[:end], nil
	}
	// Who speaks HTTP/0.9, or something else, waits for an answer now (F37).
	if i := bytes.IndexByte(p[h.scanned:], '\n'); i >= 0 && !h.lineOK {
		if refusal := checkLine(p[:h.scanned+i]); refusal != nil {
			return nil, refusal
		}
		h.lineOK = true
	}
	h.scanned = again
	if len(p) == limit {
		return nil, refuseHTTP(http.StatusRequestHeaderFieldsTooLarge, nil, &LimitError{
			What: "header", Field: "HTTPDConfig.MaxHeader", Limit: limit, fatal: true,
			remedy: "raise it, or have the peer send less",
		})
	}
	return nil, nil
}

func (h *headState) skipBlank(in *input) *HTTPError {
	for {
		n := 0
		switch p := in.bytes(); {
		case bytes.HasPrefix(p, []byte("\n")):
			n = 1
		case bytes.HasPrefix(p, []byte("\r\n")):
			n = 2
		default:
			return nil
		}
		in.skip(n)
		h.scanned = 0
		if h.blank++; h.blank > maxBlankLines {
			return refuseHTTP(http.StatusBadRequest, nil,
				fmt.Errorf("%w request: more than %d blank lines; want a request line", ErrMalformed, maxBlankLines))
		}
	}
}

// headEnd finds the first empty line behind another one, as net/http does: CRLF
// or LF ends a line. Without one it returns 0, and where to search next time.
func headEnd(p []byte, from int) (end, again int) {
	for {
		i := bytes.IndexByte(p[from:], '\n')
		if i < 0 {
			return 0, len(p)
		}
		at := from + i
		from = at + 1
		switch rest := p[from:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return from + 1, 0
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return from + 2, 0
		case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
			return 0, at
		}
	}
}

// checkLine judges a request line whose header is not there.
func checkLine(line []byte) *HTTPError {
	req, err := readHead(append(bytes.Clone(line), "\n\n"...))
	switch {
	case err != nil:
		return refuseHTTP(http.StatusBadRequest, nil, fmt.Errorf("%w request: %w", ErrMalformed, err))
	case req.ProtoMajor != 1:
		return refuseHTTP(http.StatusHTTPVersionNotSupported, req,
			fmt.Errorf("%w request: version %s; want HTTP/1.0 or HTTP/1.1", ErrMalformed, req.Proto))
	}
	return nil
}

// parseHead has net/http read a complete header block, and adds what net/http
// leaves to its server.
func parseHead(block []byte) (*http.Request, *HTTPError) {
	line, _, _ := bytes.Cut(block, []byte("\n"))
	req, err := readHead(block)
	if err != nil || req.ProtoMajor != 1 {
		// The request line first: the answer must not depend on how the input
		// was cut.
		if refusal := checkLine(line); refusal != nil {
			return nil, refusal
		}
	}
	switch {
	case isUnsupportedEncoding(err):
		return nil, refuseHTTP(http.StatusNotImplemented, nil, fmt.Errorf("%w request: %w; want chunked", ErrMalformed, err))
	case err != nil:
		return nil, refuseHTTP(http.StatusBadRequest, nil, fmt.Errorf("%w request: %w", ErrMalformed, err))
	}
	if status, fault := faultOf(block, req); fault != "" {
		return nil, refuseHTTP(status, req, fmt.Errorf("%w request: %s", ErrMalformed, fault))
	}
	return req, nil
}

// faultOf are the rules of net/http's server, which http.ReadRequest does not
// apply, and those of RFC 9112 (6.1) against requests whose length two parsers
// may understand differently.
func faultOf(block []byte, req *http.Request) (status int, fault string) {
	host, hasHost := rawField(block, "Host")
	switch {
	case !hasHost && req.ProtoAtLeast(1, 1) && req.Method != http.MethodConnect:
		return http.StatusBadRequest, req.Proto + " without Host; want one"
	case !isHost(host):
		return http.StatusBadRequest, fmt.Sprintf("Host is %q; want a name or address", host)
	}
	for name := range req.Header {
		if strings.Contains(name, " ") {
			return http.StatusBadRequest, fmt.Sprintf("space in the field name %q; want none", name)
		}
	}
	_, encoded := rawField(block, "Transfer-Encoding")
	_, length := rawField(block, "Content-Length")
	switch {
	case encoded && !req.ProtoAtLeast(1, 1): // net/http ignores it, others do not
		return http.StatusLengthRequired, req.Proto + " with Transfer-Encoding; want Content-Length"
	case encoded && length: // net/http drops Content-Length, others do not
		return http.StatusBadRequest, "both Transfer-Encoding and Content-Length; want one"
	}
	for _, expect := range req.Header["Expect"] {
		if !strings.EqualFold(expect, "100-continue") {
			return http.StatusExpectationFailed, fmt.Sprintf("Expect is %q; want 100-continue or none", expect)
		}
	}
	return 0, ""
}

// readHead reads one header block and nothing behind it. The request comes
// without Body.
func readHead(block []byte) (*http.Request, error) {
	r := headReaders.Get().(*bufio.Reader)
	src := bytes.NewReader(block)
	r.Reset(src)
	defer func() {
		r.Reset(nil)
		headReaders.Put(r)
	}()
	req, err := http.ReadRequest(r)
	if err != nil {
		return nil, err
	}
	req.Body = http.NoBody
	if r.Buffered()+src.Len() > 0 {
		return nil, errors.New("its header ends in two places; want CRLF at the end of each line")
	}
	return req, nil
}

var headReaders = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// isUnsupportedEncoding: net/http's server answers this type of error with 501,
// and does not export it.
func isUnsupportedEncoding(err error) bool {
	return fmt.Sprintf("%T", err) == "*http.unsupportedTEError"
}

// rawField returns a field's value as it was sent, with the lines it continues
// on. http.ReadRequest removes some fields from what it returns.
func rawField(block []byte, name string) (value []byte, found bool) {
	for len(block) > 0 {
		line, rest, _ := bytes.Cut(block, []byte("\n"))
		if len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(string(line[:len(name)]), name) {
			end := len(line)
			for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
				more, behind, _ := bytes.Cut(rest, []byte("\n"))
				end, rest = end+1+len(more), behind
			}
			value = bytes.TrimSuffix(block[len(name)+1:end], []byte("\r"))
			return bytes.Trim(value, " \t"), true
		}
		block = rest
	}
	return nil, false
}

// isHost looks for bytes that no host has (RFC 3986, 3.2.2); a Host on more than
// one line has them.
func isHost(host []byte) bool {
	const others = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + "!$%&'()*+,-.:;=[]_~"
	return len(bytes.Trim(host, others)) == 0
}
