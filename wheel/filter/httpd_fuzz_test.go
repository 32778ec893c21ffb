package filter_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// Whatever is fed: the records are the same however it is cut; net/http reads
// the same requests from it; and streaming gives the same content.
func FuzzHTTPD(f *testing.F) {
	f.Add([]byte("\r\n"+httpGet+httpPost+httpPut), []byte{0})
	f.Add([]byte(chunkedStart+"5;x\r\nhello\r\n0\r\nA: b\r\n\r\n"+httpGet), []byte{1, 2})
	f.Add([]byte(httpStart+strings.Repeat("A: b\r\n", 50)), []byte{15})
	f.Add([]byte(httpStart+"Content-Length: 65\r\n\r\n"), []byte{})
	for i, r := range refusedRequests {
		f.Add([]byte(r.wire), []byte{byte(i)})
	}
	for chunks := range acceptedChunks {
		f.Add([]byte(chunkedStart+chunks), []byte{7})
	}
	for chunks := range refusedChunks {
		f.Add([]byte(chunkedStart+chunks), []byte{3})
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		c := filter.HTTPDConfig{MaxHeader: 256, MaxContent: 64, MaxBuffer: len(data) + 512}
		whole := newHTTPD(t, c)
		whole.Feed(data)
		want := outcome(whole, shownRecord)

		var got []string
		pieces := newHTTPD(t, c)
		inPieces(data, cuts, func(p []byte) bool {
			pieces.Feed(p)
			out := outcome(pieces, shownRecord)
			got = append(got, out...)
			return len(out) == 0 || !strings.HasPrefix(out[len(out)-1], "error")
		})
		wantOutcome(t, got, want...)

		requests, refused := want, ""
		if n := len(want); n > 0 && strings.HasPrefix(want[n-1], "error") {
			requests, refused = want[:n-1], want[n-1]
		}
		wantOutcome(t, requests, firstByNetHTTP(data, len(requests))...)

		streamed, streamErr := streamedHTTP(t, data, cuts)
		// Content over the limit, or not complete, makes streaming get further.
		for i, s := range streamed[:min(len(streamed), len(requests))] {
			if s != requests[i] {
				t.Errorf("streamed %s; whole %s", s, requests[i])
			}
		}
		if tooLong := strings.Contains(refused, "413"); !tooLong && (len(streamed) != len(requests) || (streamErr != nil) != (refused != "")) {
			t.Errorf("streamed %q, %v; whole %q, %s", streamed, streamErr, requests, refused)
		}
	})
}

// firstByNetHTTP is what net/http reads from data, blank lines between requests
// left out.
func firstByNetHTTP(data []byte, n int) (want []string) {
	r := bufio.NewReader(bytes.NewReader(data))
	for range n {
		for {
			p, _ := r.Peek(2)
			if bytes.HasPrefix(p, []byte("\n")) {
				p = p[:1]
			} else if string(p) != "\r\n" {
				break
			}
			_, _ = r.Discard(len(p))
		}
		req, err := http.ReadRequest(r)
		if err != nil {
			return append(want, "refused: "+err.Error())
		}
		want = append(want, shownRequest(req))
	}
	return want
}

// streamedHTTP are the complete requests that a streaming filter gives out, each with
// its content put together.
func streamedHTTP(t *testing.T, data, cuts []byte) (got []string, failed error) {
	f := newHTTPD(t, filter.HTTPDConfig{MaxHeader: 256, MaxBuffer: len(data) + 512, Streaming: true})
	var content []byte
	inPieces(data, cuts, func(p []byte) bool {
		f.Feed(p)
		for rec, err := range filter.Records(f) {
			if err != nil {
				failed = err
				break
			}
			content = append(content, rec.Piece...)
			if rec.Last {
				rec.Body = io.NopCloser(bytes.NewReader(content))
				got = append(got, shownRequest(rec.Request))
				content = nil
			}
		}
		return failed == nil
	})
	if failed != nil && !errors.Is(failed, filter.ErrUnusable) {
		t.Errorf("%v does not match ErrUnusable", failed)
	}
	return got, failed
}

func isControl(r rune) bool { return (r < ' ' || r == 0x7f) && !strings.ContainsRune("\t\r\n", r) }

// What a response holds comes out of net/http's reader, and nothing else does.
func FuzzHTTPDAppend(f *testing.F) {
	f.Add(200, "200 OK", "Location", "/x\r\nEvil: 1", []byte("hello"), int64(0), "GET", false)
	f.Add(204, "", "A b", "\n\n", []byte{}, int64(-1), "POST", true)
	f.Add(304, "x\r\n\r\n", "transfer-encoding", "chunked", []byte{}, int64(3), "HEAD", false)
	f.Add(200, "", "X", "\x00", []byte("a"), int64(-1), "CONNECT", true)
	f.Fuzz(func(t *testing.T, status int, reason, name, value string, content []byte, length int64, method string, old bool) {
		req := &http.Request{Method: method, ProtoMajor: 1, ProtoMinor: 1}
		if old {
			req.ProtoMinor = 0
		}
		out, err := filter.HTTPD().Append(nil, &http.Response{
			StatusCode: status, Status: reason, Header: http.Header{name: {value}}, ContentLength: length,
			Body: io.NopCloser(bytes.NewReader(content)), Request: req,
		})
		if err != nil {
			if !errors.Is(err, filter.ErrNotEncodable) || out != nil {
				t.Errorf("Append = %q, %v", out, err)
			}
			return
		}
		if method == http.MethodConnect && status/100 == 2 || strings.ContainsFunc(value, isControl) {
			return // what follows is no HTTP; net/http writes such values and does not read them
		}
		in := bytes.NewReader(out)
		r := bufio.NewReader(in)
		read, err := http.ReadResponse(r, req)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		got, err := io.ReadAll(read.Body)
		if method == http.MethodHead {
			content = nil
		}
		if err != nil || !bytes.Equal(got, content) || r.Buffered()+in.Len() > 0 || read.StatusCode != status {
			t.Errorf("%q reads as %s with %q, %v; want %d with %q", out, read.Status, got, err, status, content)
		}
		for field, values := range read.Header {
			if field != http.CanonicalHeaderKey(name) && field != "Content-Length" && field != "Connection" && field != "Content-Type" {
				t.Errorf("%q: field %s of %s", out, field, fmt.Sprint(values))
			}
		}
	})
}
