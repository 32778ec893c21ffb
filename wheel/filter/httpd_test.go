package filter_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func newHTTPD(t testing.TB, c filter.HTTPDConfig) *filter.HTTPDFilter {
	t.Helper()
	f, err := filter.NewHTTPD(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// shownRequest is everything of a request that a server looks at. It takes the body.
func shownRequest(req *http.Request) string {
	body, err := io.ReadAll(req.Body)
	return fmt.Sprintf("%s %s %s host=%s close=%t %v %q %v %v", req.Method, req.RequestURI, req.Proto, req.Host,
		req.Close, req.Header, body, req.Trailer, err)
}

func shownRecord(r filter.HTTPDRecord) string { return shownRequest(r.Request) }

// byNetHTTP is what net/http reads from the same bytes.
func byNetHTTP(wire string) string {
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return "refused: " + err.Error()
	}
	return shownRequest(req)
}

// httpdOutcome feeds wire in pieces of n bytes, with a call of Next after each.
func httpdOutcome(t *testing.T, c filter.HTTPDConfig, wire string, n int) []string {
	f, got := newHTTPD(t, c), []string(nil)
	for piece := range slices.Chunk([]byte(wire), n) {
		f.Feed(piece)
		got = append(got, outcome(f, shownRecord)...)
		if len(got) > 0 && strings.HasPrefix(got[len(got)-1], "error") {
			break
		}
	}
	return got
}

// httpClient makes a filter's records the wire form of requests, so that they can be
// read back; a response is written at the same time.
type httpClient struct{ *filter.HTTPDFilter }

func (f httpClient) Append(dst []byte, request string) ([]byte, error) {
	if _, err := f.HTTPDFilter.Append(nil, filter.HTTPResponse(nil, 200, "ok")); err != nil {
		return dst, err
	}
	return append(dst, request...), nil
}

const (
	httpGet  = "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nX: 1\r\nX: 2\r\n\r\n"
	httpPost = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\nhello\r\n\r\nyou"
	httpPut  = "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n" +
		"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nSum: 9\r\n\r\n"
)

func TestF2_F5_F35_HTTPDConformance(t *testing.T) {
	requests := []string{httpGet, httpPost, httpPut, "HEAD / HTTP/1.0\n\n"}
	filtertest.Run(t, filtertest.Case[filter.HTTPDRecord, string]{
		New:     func() filter.Filter[filter.HTTPDRecord, string] { return httpClient{newHTTPD(t, filter.HTTPDConfig{})} },
		Wire:    []byte(strings.Join(requests, "")),
		Records: requests,
		Equal: func(got filter.HTTPDRecord, request string) bool {
			return got.Last && got.Piece == nil && shownRequest(got.Request) == byNetHTTP(request)
		},
		Tail: []byte(httpPost[:len(httpPost)-3]),
	})
}

func TestF36_PipelinedAndBytewise(t *testing.T) {
	wire := "\r\n\n" + httpGet + "\r\n" + httpPost + "\n\n" + httpPut + "GET / HTTP/1.0\nHost:h\n\n\r\n"
	want := []string{byNetHTTP(httpGet), byNetHTTP(httpPost), byNetHTTP(httpPut), byNetHTTP("GET / HTTP/1.0\nHost:h\n\n")}
	for _, n := range []int{1, 2, 3, 7, 64, len(wire)} {
		wantOutcome(t, httpdOutcome(t, filter.HTTPDConfig{}, wire, n), want...)
	}
}

func TestF36_BlankLinesAreBounded(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		for _, n := range []int{1, 1000} {
			blank := strings.Repeat(end, 64)
			wantOutcome(t, httpdOutcome(t, filter.HTTPDConfig{}, blank+httpGet+blank+httpGet, n), byNetHTTP(httpGet), byNetHTTP(httpGet))
			wantOutcome(t, httpdOutcome(t, filter.HTTPDConfig{}, httpGet+blank+end+httpGet, n), byNetHTTP(httpGet),
				"error: filter: request refused, 400 Bad Request: malformed request: more than 64 blank lines; want a request line; send Response and close the connection")
		}
	}
}

func TestF37_HeadersAsInNetHTTP(t *testing.T) {
	wire := "brew //pot/../cup HTTP/1.1\r\nHost: h\r\nfolded: one\r\n\ttwo\r\n  three\r\nMany: 1\r\nmany: 2\r\n\r\n"
	for _, n := range []int{1, len(wire)} {
		f := newHTTPD(t, filter.HTTPDConfig{})
		var rec filter.HTTPDRecord
		for piece := range slices.Chunk([]byte(wire), n) {
			f.Feed(piece)
			if r, ok, err := f.Next(); err != nil {
				t.Fatal(err)
			} else if ok {
				rec = r
			}
		}
		if rec.Request == nil {
			t.Fatal("no record")
		}
		if rec.Method != "brew" || rec.URL.Path != "//pot/../cup" {
			t.Errorf("%s %s; want any word as method, and the path as it came", rec.Method, rec.URL.Path)
		}
		if got := rec.Header.Get("Folded"); got != "one two three" {
			t.Errorf("folded field = %q", got)
		}
		if got := rec.Header["Many"]; !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("repeated field = %q", got)
		}
	}
}

// Nobody sends a blank line behind a request of HTTP/0.9, so the answer must not
// wait for one.
func TestF37_WithoutVersionRefusedAtOnce(t *testing.T) {
	for _, wire := range []string{"GET /\r\n", "GET /\n", "hello\r\n"} {
		for _, n := range []int{1, len(wire)} {
			if got := httpRefusal(t, filter.HTTPDConfig{}, wire, n); got.Status != 400 {
				t.Errorf("%q: %v", wire, got)
			}
		}
	}
	if got := httpRefusal(t, filter.HTTPDConfig{}, "GET / HTTP/0.9\r\n", 1); got.Status != 505 {
		t.Errorf("with version 0.9: %v", got)
	}
}

func TestF38_ContentByLengthForAnyMethod(t *testing.T) {
	for _, method := range []string{"GET", "POST", "HEAD", "DELETE", "ANY"} {
		f := newHTTPD(t, filter.HTTPDConfig{})
		wire := method + " / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
		f.Feed([]byte(wire[:len(wire)-1]))
		if rec, ok, err := f.Next(); ok || err != nil {
			t.Errorf("%s: Next = %v, %v, %v before the last byte", method, rec, ok, err)
		}
		f.Feed([]byte("o" + "more"))
		rec, ok, err := f.Next()
		if !ok {
			t.Fatalf("%s: no record: %v", method, err)
		}
		body, err := io.ReadAll(rec.Body)
		if string(body) != "hello" || err != nil || rec.ContentLength != 5 || !rec.Last {
			t.Errorf("%s: body = %q, %v, of %d, Last %t", method, body, err, rec.ContentLength, rec.Last)
		}
		if got := f.Pending(); string(got) != "more" {
			t.Errorf("%s: Pending = %q", method, got)
		}
	}
}

func TestF41_NoContentKeepsTheNextRequest(t *testing.T) {
	first := "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
	wantOutcome(t, httpdOutcome(t, filter.HTTPDConfig{}, first+httpGet, 1000), byNetHTTP(first), byNetHTTP(httpGet))
}

func TestF8_HTTPDConfigIsChecked(t *testing.T) {
	for _, tt := range []struct {
		c    filter.HTTPDConfig
		want string
	}{
		{filter.HTTPDConfig{MaxHeader: -1}, "HTTPDConfig.MaxHeader is -1; want 0 for the default of 65536"},
		{filter.HTTPDConfig{MaxContent: -1}, "HTTPDConfig.MaxContent is -1; want 0 for the default of 1048576"},
		{filter.HTTPDConfig{MaxBuffer: -1}, "HTTPDConfig.MaxBuffer is -1"},
		{filter.HTTPDConfig{MaxBuffer: 1 << 20}, "less than HTTPDConfig.MaxContent (1048576) and 65536 bytes around it"},
		{filter.HTTPDConfig{MaxBuffer: 9, MaxHeader: 10, Streaming: true}, "less than HTTPDConfig.MaxHeader (10)"},
	} {
		if _, err := filter.NewHTTPD(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v; want %q", tt.c, err, tt.want)
		}
	}
	newHTTPD(t, filter.HTTPDConfig{MaxHeader: 100, MaxContent: 100, MaxBuffer: 200})
	newHTTPD(t, filter.HTTPDConfig{MaxHeader: 100, MaxBuffer: 100, Streaming: true})
}
