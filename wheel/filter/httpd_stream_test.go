package filter_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

// shownPart shows one record of a stream.
func shownPart(r filter.HTTPDRecord) string {
	return fmt.Sprintf("%s %q %t", r.RequestURI, r.Piece, r.Last)
}

func TestF43_StreamingRecords(t *testing.T) {
	f := newHTTPD(t, filter.HTTPDConfig{Streaming: true})
	for _, step := range []struct {
		feed string
		want []string
	}{
		{"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n", []string{`/1 "" false`}},
		{"", nil},
		{"ab", []string{`/1 "ab" false`}},
		{"c", []string{`/1 "c" false`}},
		{"def" + "GET /2 HTTP/1.1\r\nHost: h\r\n\r\nP", []string{`/1 "def" true`, `/2 "" true`}},
		{"UT /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", []string{`/3 "" false`}},
		{"3\r\na", []string{`/3 "a" false`}},
		{"bc\r", []string{`/3 "bc" false`}},
		{"\n2\r\nde\r\n0\r\nSum", []string{`/3 "de" false`}},
		{": 1\r\n\r", nil},
		{"\n\r\n", []string{`/3 "" true`}},
	} {
		f.Feed([]byte(step.feed))
		wantOutcome(t, outcome(f, shownPart), step.want...)
	}
}

func TestF43_OneRequestForAllItsParts(t *testing.T) {
	f := newHTTPD(t, filter.HTTPDConfig{Streaming: true})
	f.Feed([]byte(httpPut))
	var recs []filter.HTTPDRecord
	for rec, err := range filter.Records(f) {
		if err != nil {
			t.Fatal(err)
		}
		if recs = append(recs, rec); rec.Request != recs[0].Request {
			t.Error("the parts have different Requests")
		}
	}
	if len(recs) != 4 || recs[0].Trailer.Get("Sum") != "9" || recs[0].ContentLength != -1 || recs[0].Body != http.NoBody {
		t.Errorf("%d records, %v", len(recs), recs[0].Request)
	}
}

func TestF43_StreamingConformance(t *testing.T) {
	for _, wire := range []string{httpPut, httpPost} {
		filtertest.Run(t, filtertest.Case[filter.HTTPDRecord, string]{
			New: func() filter.Filter[filter.HTTPDRecord, string] {
				return httpClient{newHTTPD(t, filter.HTTPDConfig{Streaming: true})}
			},
			Wire:    []byte(wire),
			Records: []string{wire},
			Equal: func(got filter.HTTPDRecord, wire string) bool {
				return got.Last && string(got.Piece) == map[string]string{httpPut: "abc0123456789", httpPost: "hello\r\n\r\nyou"}[wire]
			},
			Tail: []byte("GET / HTTP/1.1\r\nHo"),
			Join: func(a, b filter.HTTPDRecord) filter.HTTPDRecord {
				b.Piece = slices.Concat(a.Piece, b.Piece)
				return b
			},
			NoHandover: true, // a request that was given out is not repeated
		})
	}
}

// MaxContent is ignored, and nothing piles up.
func TestF43_ContentWithoutLimit(t *testing.T) {
	const size = 1 << 20
	f := newHTTPD(t, filter.HTTPDConfig{Streaming: true, MaxContent: 10, MaxHeader: 100, MaxBuffer: 5000})
	f.Feed(fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size))
	got, records, block := 0, 0, make([]byte, 4096)
	for range size / len(block) {
		for rec, err := range filter.Records(f) {
			if err != nil {
				t.Fatal(err)
			}
			got += len(rec.Piece)
			records++
		}
		if f.Pending() != nil {
			t.Fatal("pieces stay in the buffer")
		}
		f.Feed(block)
	}
	rec, ok, err := f.Next()
	if got += len(rec.Piece); !ok || !rec.Last || got != size {
		t.Errorf("%d bytes in %d records, Last %t, %v", got, records, rec.Last, err)
	}
}

// A server that streams answers an expectation itself; the content comes behind.
func TestF43_ContinueIsTheServers(t *testing.T) {
	f := newHTTPD(t, filter.HTTPDConfig{Streaming: true})
	f.Feed([]byte("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"))
	rec, ok, err := f.Next()
	if !ok || rec.Last || rec.Header.Get("Expect") == "" {
		t.Fatalf("Next = %v, %v", ok, err)
	}
	out, err := f.Append(nil, filter.HTTPResponse(rec.Request, http.StatusContinue, ""))
	if string(out) != "HTTP/1.1 100 Continue\r\n\r\n" || err != nil {
		t.Errorf("Append = %q, %v", out, err)
	}
	f.Feed([]byte("ok"))
	wantOutcome(t, outcome(f, shownPart), `/ "ok" true`)
}

// Without Streaming the client is not asked, and refused when that is certain.
func TestF38_ExpectWaitsForContent(t *testing.T) {
	f := newHTTPD(t, filter.HTTPDConfig{MaxContent: 2})
	f.Feed([]byte("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"))
	wantOutcome(t, outcome(f, shownPart))
	f.Feed([]byte("ok"))
	wantOutcome(t, outcome(f, shownPart), `/ "" true`)
	f.Feed([]byte("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"))
	if _, _, err := f.Next(); !errors.Is(err, filter.ErrTooLong) {
		t.Errorf("error = %v; want it before the content is sent", err)
	}
}

// What follows an upgrade is no HTTP, and belongs to the next filter.
func TestF5_UpgradeLeavesTheRest(t *testing.T) {
	// It may well begin like the blank lines that are skipped between requests.
	const rest = "\r\n\x81\x05hello\r\nno HTTP"
	for _, request := range []string{
		"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
	} {
		for _, streaming := range []bool{false, true} {
			f := newHTTPD(t, filter.HTTPDConfig{Streaming: streaming})
			f.Feed([]byte(request + rest[:4]))
			rec, ok, err := f.Next()
			if !ok || !rec.Last {
				t.Fatalf("%q: %v", request, err)
			}
			next := filter.Stream()
			next.Feed(f.Pending())
			next.Feed([]byte(rest[4:]))
			if got, _, _ := next.Next(); string(got) != rest {
				t.Errorf("%s: the next filter reads %q; want %q", rec.Method, got, rest)
			}
			resp := filter.HTTPResponse(rec.Request, 200, "")
			want := "HTTP/1.1 200 OK\r\n\r\n" // a tunnel has no length
			if rec.Method == "GET" {
				resp.StatusCode = http.StatusSwitchingProtocols
				resp.Header.Set("Connection", "Upgrade")
				resp.Header.Set("Upgrade", "websocket")
				want = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
			}
			if out, err := f.Append(nil, resp); string(out) != want || err != nil {
				t.Errorf("%s: Append = %q, %v", rec.Method, out, err)
			}
		}
	}
}
