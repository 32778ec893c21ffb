package filter_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/usher-go/usher/wheel/filter"
)

// webServer is a server for one connection, without the connection: whoever has
// one calls read with what came, and sends what it returns.
type webServer struct {
	filter filter.Filter[filter.HTTPDRecord, *http.Response]
	answer func(filter.HTTPDRecord) *http.Response
}

// read returns what to send, and whether to close the connection then.
func (s *webServer) read(p []byte) (out []byte, end bool, err error) {
	s.filter.Feed(p)
	for r, err := range filter.Records(s.filter) {
		if refusal, ok := errors.AsType[*filter.HTTPError](err); ok {
			out, err = s.filter.Append(out, refusal.Response())
			return out, true, err
		}
		if out, err = s.filter.Append(out, s.answer(r)); err != nil || r.Close {
			return out, true, err
		}
	}
	return out, false, nil
}

// shoutHTTP answers with what was sent, in capitals.
func shoutHTTP(r filter.HTTPDRecord) *http.Response {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return filter.HTTPResponse(r.Request, http.StatusInternalServerError, err.Error())
	}
	return filter.HTTPResponse(r.Request, http.StatusOK, strings.ToUpper(string(text)))
}

func ExampleHTTPD() {
	s := webServer{filter.HTTPD(), shoutHTTP}
	for _, p := range []string{
		"PUT /1 HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhel",
		"loPUT /2 HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nchunks\r\n0\r\n\r\n",
		"PUT 3\r\n",
	} {
		out, end, err := s.read([]byte(p))
		fmt.Printf("%q %t %v\n", out, end, err)
	}
	// Output:
	// "" false <nil>
	// "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHELLOHTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nCHUNKS" false <nil>
	// "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 16\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n400 Bad Request\n" true <nil>
}
