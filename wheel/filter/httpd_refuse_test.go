package filter_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// httpRefusal feeds wire in pieces of n bytes until something is refused.
func httpRefusal(t *testing.T, c filter.HTTPDConfig, wire string, n int) *filter.HTTPError {
	t.Helper()
	f := newHTTPD(t, c)
	for piece := range slices.Chunk([]byte(wire), n) {
		f.Feed(piece)
		for _, err := range filter.Records(f) {
			if e, ok := errors.AsType[*filter.HTTPError](err); ok {
				return e
			} else if err != nil {
				t.Fatalf("%.80q: error %v; want an HTTPError", wire, err)
			}
		}
	}
	t.Fatalf("%.80q, %d bytes at a time, was not refused", wire, n)
	return nil
}

// refusedRequest is one that the filter refuses. Where net/http's server does
// not, stricter says why that is not followed.
type refusedRequest struct {
	wire     string
	status   int
	why      string
	stricter string
}

const httpStart = "POST / HTTP/1.1\r\nHost: h\r\n"

var smuggledInOldHTTP = "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"

var refusedRequests = []refusedRequest{
	{"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed HTTP version", ""},
	{"GET /\r\n\r\n", 400, `malformed HTTP request "GET /"`, ""},
	{"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, `invalid method "G@T"`, ""},
	{"GET x y HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed HTTP version", ""},
	{"GET :x HTTP/1.1\r\nHost: h\r\n\r\n", 400, "missing protocol scheme", ""},
	{"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "invalid method", ""},
	{"GET / HTTP/0.9\r\n\r\n", 505, "version HTTP/0.9; want HTTP/1.0 or HTTP/1.1", ""},
	{"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, "version HTTP/3.0", ""},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version HTTP/2.0", "there it begins HTTP/2"},
	{"GET / HTTP/1.1\r\n\r\n", 400, "HTTP/1.1 without Host; want one", ""},
	{"GET http://h/ HTTP/1.1\r\n\r\n", 400, "without Host", ""},
	{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "too many Host headers", ""},
	{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, `Host is "a b"; want`, ""},
	{"GET http://x/ HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, `Host is "a/b"`, ""},
	{"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400, "Host is", ""},
	{"GET / HTTP/1.1\r\nHost:\r\n b\r\n\r\n", 400, "Host is", "one name on two lines is a trap for proxies"},
	{"GET / HTTP/1.1\r\nHost: h\r\nA B: c\r\n\r\n", 400, `space in the field name "A B"`, ""},
	{httpStart + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "space in the field name", ""},
	{"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "malformed MIME header", ""},
	{"GET / HTTP/1.1\r\nHost: h\r\nx\r\n\r\n", 400, "malformed MIME header", ""},
	{"GET / HTTP/1.1\r\nHost: h\r\nA: \x00\r\n\r\n", 400, "malformed MIME header", ""},
	{httpStart + "Content-Length: x\r\n\r\n", 400, `bad Content-Length "x"`, ""},
	{httpStart + "Content-Length: -1\r\n\r\n", 400, "bad Content-Length", ""},
	{httpStart + "Content-Length: +1\r\n\r\n1", 400, "bad Content-Length", ""},
	{httpStart + "Content-Length:\r\n\r\n", 400, "Content-Length", ""},
	{httpStart + "Content-Length: 1, 1\r\n\r\n1", 400, "bad Content-Length", ""},
	{httpStart + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n12", 400, "multiple Content-Length", ""},
	{httpStart + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
		"both Transfer-Encoding and Content-Length; want one", "RFC 9112, 6.1: ought to be handled as an error"},
	{smuggledInOldHTTP, 411, "HTTP/1.0 with Transfer-Encoding; want Content-Length", "RFC 9112, 6.1: the framing is faulty"},
	{httpStart + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "unsupported transfer encoding", ""},
	{httpStart + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501, "too many transfer encodings", ""},
	{httpStart + "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n1", 501, "unsupported transfer encoding", ""},
	{httpStart + "Transfer-Encoding: \x0bchunked\r\n\r\n", 400, "malformed MIME header", ""},
	{httpStart + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n", 400, "bad trailer key", ""},
	{httpStart + "Expect: the unexpected\r\n\r\n", 417, `Expect is "the unexpected"; want 100-continue or none`, ""},
}

func TestF39_F40_RefusedWithResponse(t *testing.T) {
	for _, r := range refusedRequests {
		for _, n := range []int{1, 5, 1 << 20} {
			got := httpRefusal(t, filter.HTTPDConfig{}, r.wire+httpGet, n)
			if got.Status != r.status || !strings.Contains(got.Error(), r.why) {
				t.Errorf("%q in pieces of %d: %v; want %d %q", r.wire, n, got, r.status, r.why)
			}
			if !errors.Is(got, filter.ErrUnusable) || !errors.Is(got, filter.ErrMalformed) {
				t.Errorf("%q: %v does not match ErrUnusable and ErrMalformed", r.wire, got)
			}
		}
	}
}

func TestF39_LimitsRefuseWithResponse(t *testing.T) {
	c := filter.HTTPDConfig{MaxHeader: 100, MaxContent: 10, MaxBuffer: 160}
	chunked := httpStart + "Transfer-Encoding: chunked\r\n\r\n"
	line := "GET /" + strings.Repeat("x", 80-len("Host: h")) + " HTTP/1.1\r\n"
	for _, tt := range []struct {
		wire   string
		status int
		field  string
	}{
		{"GET /" + strings.Repeat("x", 100), 431, "HTTPDConfig.MaxHeader, 100 bytes"},
		{line + "Host: h\r\nA: 1\r\n\r\n", 431, "HTTPDConfig.MaxHeader"},
		{httpStart + strings.Repeat("A: b\r\n", 20) + "\r\n", 431, "HTTPDConfig.MaxHeader"},
		{httpStart + "Content-Length: 11\r\n\r\n", 413, "content of 11 bytes exceeds HTTPDConfig.MaxContent, 10 bytes"},
		{httpStart + "Content-Length: 9223372036854775807\r\n\r\n", 413, "content of 9223372036854775807 bytes"},
		{chunked + "b\r\n", 413, "content of 11 bytes exceeds HTTPDConfig.MaxContent"},
		{chunked + "a\r\n0123456789\r\n1\r\n", 413, "content of 11 bytes exceeds HTTPDConfig.MaxContent"},
		{chunked + "7fffffffffffffff\r\n", 413, "content of 9223372036854775807 bytes"},
		{chunked + "1;" + strings.Repeat("x", 200), 413, "unparsed input exceeds HTTPDConfig.MaxBuffer, 160 bytes"},
	} {
		for _, n := range []int{1, 7, 1000} {
			got := httpRefusal(t, c, tt.wire, n)
			if got.Status != tt.status || !strings.Contains(got.Error(), tt.field) {
				t.Errorf("%.60q in pieces of %d: %v; want %d, %q", tt.wire, n, got, tt.status, tt.field)
			}
			if !errors.Is(got, filter.ErrUnusable) || !errors.Is(got, filter.ErrTooLong) {
				t.Errorf("%.60q: %v does not match ErrUnusable and ErrTooLong", tt.wire, got)
			}
		}
	}
	// Exactly at the limits is fine.
	header := line + "Host: h\r\n\r\n"
	if len(header) != 100 {
		t.Fatalf("the header has %d bytes", len(header))
	}
	full := httpStart + "Content-Length: 10\r\n\r\n0123456789"
	wantOutcome(t, httpdOutcome(t, c, header+full, 1), byNetHTTP(header), byNetHTTP(full))
}

func TestF39_RefusalIsReadyToSend(t *testing.T) {
	for _, tt := range []struct {
		wire, want string
		linked     bool
	}{
		{"<script>\r\n", "400 Bad Request\n", false},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n", "413 Request Entity Too Large\n", true},
		{"HEAD / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", "", true},
		{"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505 HTTP Version Not Supported\n", true},
	} {
		f := newHTTPD(t, filter.HTTPDConfig{})
		f.Feed([]byte(tt.wire))
		_, _, err := f.Next()
		e, ok := errors.AsType[*filter.HTTPError](err)
		if !ok {
			t.Fatalf("%q: %v", tt.wire, err)
		}
		if (e.Request != nil) != tt.linked || e.Response().Request != e.Request {
			t.Errorf("%q: Request = %v", tt.wire, e.Request)
		}
		for range 2 { // a response can be made again
			out, err := f.Append(nil, e.Response())
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), e.Request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != tt.want || resp.StatusCode != e.Status || !resp.Close || resp.Proto != "HTTP/1.1" {
				t.Errorf("%q: response %q, %v", tt.wire, out, err)
			}
			if bytes.Contains(out, []byte("script")) {
				t.Errorf("the response repeats what the peer sent: %q", out)
			}
		}
	}
}

func TestF40_RefusalEndsTheStream(t *testing.T) {
	f := newHTTPD(t, filter.HTTPDConfig{})
	f.Feed([]byte(httpGet + "bad\r\n\r\n" + httpGet))
	wantOutcome(t, outcome(f, shownRecord)[:1], byNetHTTP(httpGet))
	_, _, first := f.Next()
	f.Feed([]byte(httpGet))
	if _, ok, again := f.Next(); ok || again != first || !errors.Is(again, filter.ErrUnusable) {
		t.Errorf("Next = %v, %v; want %v again", ok, again, first)
	}
	if p := f.Pending(); p != nil {
		t.Errorf("Pending = %q; want nothing behind a refusal", p)
	}
}

func TestF9_HTTPDGivesWhatFittedFirst(t *testing.T) {
	f := newHTTPD(t, filter.HTTPDConfig{MaxHeader: 100, MaxContent: 60, MaxBuffer: 160})
	f.Feed([]byte(httpGet + httpGet + httpGet))
	got := outcome(f, shownRecord)
	if len(got) != 3 || got[0] != byNetHTTP(httpGet) || got[1] != byNetHTTP(httpGet) || !strings.Contains(got[2], "unparsed input exceeds HTTPDConfig.MaxBuffer") {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}

func TestF39_LongCausesAreCut(t *testing.T) {
	got := httpRefusal(t, filter.HTTPDConfig{}, strings.Repeat("x", 60_000)+"\r\n", 1<<20)
	if n := len(got.Error()); n > 500 || !strings.HasSuffix(got.Error(), "; send Response and close the connection") {
		t.Errorf("%d bytes: %s", n, got)
	}
}
