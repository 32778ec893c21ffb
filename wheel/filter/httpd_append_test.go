package filter_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// requestBy makes a request as the filter would give it out.
func requestBy(t *testing.T, method, proto, more string) *http.Request {
	t.Helper()
	f := newHTTPD(t, filter.HTTPDConfig{})
	f.Feed([]byte(method + " / " + proto + "\r\nHost: h\r\n" + more + "\r\n"))
	rec, ok, err := f.Next()
	if !ok {
		t.Fatal(err)
	}
	return rec.Request
}

func memory(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

// ownReader is somebody's own reader in memory.
type ownReader struct{ *bytes.Buffer }

func (ownReader) Close() error { return nil }

func TestF44_Responses(t *testing.T) {
	text := http.Header{"Content-Type": {"text/plain"}}
	get11 := requestBy(t, "GET", "HTTP/1.1", "")
	post11 := requestBy(t, "POST", "HTTP/1.1", "")
	head11 := requestBy(t, "HEAD", "HTTP/1.1", "")
	close11 := requestBy(t, "GET", "HTTP/1.1", "Connection: close\r\n")
	get10 := requestBy(t, "GET", "HTTP/1.0", "")
	keep10 := requestBy(t, "GET", "HTTP/1.0", "Connection: keep-alive\r\n")
	for name, tt := range map[string]struct {
		resp http.Response
		want string
	}{
		"the least": {http.Response{StatusCode: 200},
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		"length of a body": {http.Response{StatusCode: 200, Body: memory("hello"), Header: text},
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"},
		"own reader": {http.Response{StatusCode: 200, Body: ownReader{bytes.NewBufferString("hello")}},
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
		"bytes in NopCloser": {http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewBufferString("hi"))},
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
		"empty body": {http.Response{StatusCode: 404, Body: http.NoBody, Request: get11},
			"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
		"own reason": {http.Response{StatusCode: 200, Status: "200 Fine"},
			"HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n"},
		"unknown status": {http.Response{StatusCode: 299},
			"HTTP/1.1 299 status code 299\r\nContent-Length: 0\r\n\r\n"},
		"header of framing left out": {
			http.Response{StatusCode: 200, Body: memory("hello"), Header: http.Header{"Content-Length": {"99"}, "Transfer-Encoding": {"chunked"}, "Trailer": {"x"}}},
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
		"unknown length": {http.Response{StatusCode: 200, Body: memory("hello"), ContentLength: -1, Request: get11},
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		"chunks of nothing": {http.Response{StatusCode: 200, TransferEncoding: []string{"chunked"}},
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"trailer": {
			http.Response{StatusCode: 200, Body: memory("hello"), TransferEncoding: []string{"chunked"}, Trailer: http.Header{"Sum": {"1\r\n2"}}, Close: true},
			"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5\r\nhello\r\n0\r\nSum: 1  2\r\n\r\n"},
		"unknown length to HTTP/1.0": {http.Response{StatusCode: 200, Body: memory("hello"), ContentLength: -1, Request: keep10},
			"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello"},
		"the head alone": {http.Response{StatusCode: 200, ContentLength: -1, Close: true, Request: get11},
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
		"HTTP/1.0": {http.Response{StatusCode: 200, Body: memory("hello"), Request: get10},
			"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"},
		"HTTP/1.0 kept alive": {http.Response{StatusCode: 200, Body: memory("hello"), Request: keep10},
			"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"},
		"HTTP/1.0 kept alive, not by us": {http.Response{StatusCode: 200, Request: keep10, Close: true},
			"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
		"HTTP/1.0 without request": {http.Response{StatusCode: 200, ProtoMajor: 1},
			"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
		"HTTP/2 of another connection": {http.Response{StatusCode: 200, ProtoMajor: 2, Request: get11},
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		"asked to close": {http.Response{StatusCode: 200, Request: close11},
			"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
		"HEAD": {http.Response{StatusCode: 200, Body: memory("hello"), Header: text, Request: head11},
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n"},
		"HEAD with a length of its own": {http.Response{StatusCode: 200, ContentLength: 77, Request: head11},
			"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"},
		"HEAD of unknown length": {http.Response{StatusCode: 200, ContentLength: -1, Request: head11},
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		"204 to POST": {http.Response{StatusCode: 204, Request: post11},
			"HTTP/1.1 204 No Content\r\n\r\n"},
		"304": {http.Response{StatusCode: 304, Header: http.Header{"Etag": {`"x"`}}, Body: memory(""), Request: get11},
			"HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"},
		"103": {http.Response{StatusCode: 103, Header: http.Header{"Link": {"</x>"}}, Request: close11},
			"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			before := tt.resp
			got, err := newHTTPD(t, filter.HTTPDConfig{}).Append([]byte("> "), &tt.resp)
			if string(got) != "> "+tt.want || err != nil {
				t.Errorf("got  %q, %v\nwant %q", got, err, tt.want)
			}
			if tt.resp.ContentLength != before.ContentLength || tt.resp.Request != before.Request || tt.resp.Close != before.Close ||
				tt.resp.Header.Get("Connection") != "" {
				t.Error("the response was changed")
			}
		})
	}
}

// However CR and LF get into a response, it stays one response, with nothing in
// it that only they made.
func TestF44_NoHeaderInjection(t *testing.T) {
	const evil = "x\r\nSet-Cookie: evil\r\n\r\nHTTP/1.1 200 OK\nEvil: 1\n\n"
	req := requestBy(t, "GET", "HTTP/1.1", "")
	for name, resp := range map[string]*http.Response{
		"value":  {StatusCode: 200, Header: http.Header{"Location": {evil, evil}}},
		"name":   {StatusCode: 200, Header: http.Header{evil: {"1"}, "A:b": {"1"}, "": {"1"}}},
		"status": {StatusCode: 200, Status: "200 " + evil},
		"trailer": {StatusCode: 200, Body: memory("x"), TransferEncoding: []string{"chunked"},
			Trailer: http.Header{"Sum": {evil}}},
	} {
		resp.Request = req
		out, err := filter.HTTPD().Append(nil, resp)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in := bytes.NewReader(out)
		r := bufio.NewReader(in)
		read, err := http.ReadResponse(r, req)
		if err != nil {
			t.Fatalf("%s: %q: %v", name, out, err)
		}
		content, err := io.ReadAll(read.Body)
		if err != nil || len(content) > 1 || r.Buffered()+in.Len() > 0 {
			t.Errorf("%s: %q holds %q and more, %v", name, out, content, err)
		}
		for _, made := range []http.Header{read.Header, read.Trailer} {
			for field := range made {
				if !slices.Contains([]string{"Location", "Content-Length", "Sum"}, field) {
					t.Errorf("%s: a field %q came into %q", name, field, out)
				}
			}
		}
	}
}

func TestF44_RefusedResponses(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	connect := requestBy(t, "CONNECT", "HTTP/1.1", "")
	for name, tt := range map[string]struct {
		resp *http.Response
		want string
		is   error
	}{
		"nil":         {nil, "it is nil; use HTTPResponse", nil},
		"no status":   {&http.Response{}, "its StatusCode is 0; want three digits", nil},
		"long status": {&http.Response{StatusCode: 1000}, "its StatusCode is 1000", nil},
		"blocking":    {&http.Response{StatusCode: 200, Body: reader}, "its Body is a *os.File, which may block; read it before", nil},
		"blocking inside": {&http.Response{StatusCode: 200, Body: io.NopCloser(bufio.NewReader(reader))},
			"which may block", nil},
		"too short":  {&http.Response{StatusCode: 200, Body: memory("x"), ContentLength: 2}, "its ContentLength is 2, its Body holds 1 bytes; leave ContentLength 0", nil},
		"too long":   {&http.Response{StatusCode: 200, Body: memory("xxx"), ContentLength: 2}, "its ContentLength is 2, its Body holds 3 bytes", nil},
		"204":        {&http.Response{StatusCode: 204, Body: memory("x")}, "leave Body empty", http.ErrBodyNotAllowed},
		"304":        {&http.Response{StatusCode: 304, Body: memory("x")}, "leave Body empty", http.ErrBodyNotAllowed},
		"100":        {&http.Response{StatusCode: 100, Body: memory("x")}, "leave Body empty", http.ErrBodyNotAllowed},
		"tunnel":     {&http.Response{StatusCode: 200, Body: memory("x"), Request: connect}, `200 to "CONNECT"`, http.ErrBodyNotAllowed},
		"hidden":     {&http.Response{StatusCode: 200, Header: http.Header{"content-length": {"9"}}}, `its Header has a field "content-length"`, nil},
		"trailer":    {&http.Response{StatusCode: 200, TransferEncoding: []string{"chunked"}, Trailer: http.Header{"a\r\nb": {"1"}}}, "its Trailer has a field", nil},
		"in trailer": {&http.Response{StatusCode: 200, TransferEncoding: []string{"chunked"}, Trailer: http.Header{"Content-Length": {"1"}}}, "invalid Trailer key", nil},
	} {
		got, err := filter.HTTPD().Append([]byte("kept"), tt.resp)
		if string(got) != "kept" {
			t.Errorf("%s: Append returned %q", name, got)
		}
		if !errors.Is(err, filter.ErrNotEncodable) || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v; want ErrNotEncodable, %q", name, err, tt.want)
		}
	}
}

// noteClose notes that it was closed.
type noteClose struct {
	*strings.Reader
	closed bool
}

func (c *noteClose) Close() error { c.closed = true; return nil }

func TestF44_BodyIsReadAndClosed(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		b := &noteClose{Reader: strings.NewReader("hello")}
		if _, err := filter.HTTPD().Append(nil, &http.Response{StatusCode: 200, Body: b, Request: requestBy(t, method, "HTTP/1.1", "")}); err != nil {
			t.Fatal(err)
		}
		if !b.closed {
			t.Errorf("%s: Body was not closed", method)
		}
	}
}

// Handlers of net/http can answer, and a request's content can be sent back.
func TestF44_WhatOthersMake(t *testing.T) {
	f := filter.HTTPD()
	f.Feed([]byte(httpPut))
	rec, _, err := f.Next()
	if err != nil {
		t.Fatal(err)
	}
	echo, err := f.Append(nil, &http.Response{StatusCode: 200, Body: rec.Body, Request: rec.Request})
	if want := "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nabc0123456789"; string(echo) != want || err != nil {
		t.Errorf("%q, %v; want %q", echo, err, want)
	}
	w := httptest.NewRecorder()
	http.NotFound(w, rec.Request)
	answer, err := f.Append(nil, w.Result())
	read, readErr := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), rec.Request)
	if err != nil || readErr != nil {
		t.Fatalf("%q, %v, %v", answer, err, readErr)
	}
	if text, err := io.ReadAll(read.Body); string(text) != "404 page not found\n" || read.StatusCode != 404 || err != nil {
		t.Errorf("%q reads as %q, %v", answer, text, err)
	}
}

func TestF44_HTTPResponse(t *testing.T) {
	resp := filter.HTTPResponse(nil, 200, "hi")
	resp.Header.Set("Content-Type", "text/html")
	for resp, want := range map[*http.Response]string{
		resp:                                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html\r\n\r\nhi",
		filter.HTTPResponse(nil, 201, "text"): "HTTP/1.1 201 Created\r\nContent-Length: 4\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntext",
		filter.HTTPResponse(nil, 204, ""):     "HTTP/1.1 204 No Content\r\n\r\n",
		filter.HTTPResponse(nil, 200, ""):     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	} {
		if got, err := filter.HTTPD().Append(nil, resp); string(got) != want || err != nil {
			t.Errorf("got  %q, %v\nwant %q", got, err, want)
		}
	}
}
