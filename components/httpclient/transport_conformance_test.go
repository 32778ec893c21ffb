package httpclient_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// outcome is what a program can see of one request.
type outcome struct {
	Status       int
	Proto        string
	Header       http.Header
	Trailer      http.Header
	Length       int64
	Uncompressed bool
	TLS          bool
	Body         string
	Early        int // 1xx answers
	Err, BodyErr string
	Reused       bool // by the request after it
}

// kind says what sort of error err is.
func kind(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut short"
	case errors.Is(err, io.EOF):
		return "EOF"
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "exceeded"):
		return "not HTTP"
	}
	return "other"
}

// conversation is one request, to the path of its name.
type conversation struct {
	method string // default GET
	serve  http.HandlerFunc
	body   func() io.Reader
	header http.Header
	within time.Duration // of the context
	late   bool          // the context's time is over when the body has begun
	slow   time.Duration // ResponseHeaderTimeout; default none
	read   int           // bytes of the body, then Close; 0: all
	close  bool          // Request.Close
	race   bool          // whether the connection is used again is up to chance with net/http; it must not be
}

func (c *conversation) hold(ctx context.Context, rt http.RoundTripper, url string) (o outcome) {
	if c.within != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.within)
		defer cancel()
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { o.Early++; return nil },
	})
	var body io.Reader
	if c.body != nil {
		body = c.body()
	}
	req, err := http.NewRequestWithContext(ctx, c.method, url, body)
	if err != nil {
		panic(err)
	}
	if c.header != nil {
		req.Header = c.header.Clone()
	}
	req.Close = c.close
	late := &overtime{ctx, make(chan struct{})}
	if c.late {
		req = req.WithContext(late)
	}
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if o.Err = kind(err); err != nil {
		return o
	}
	defer resp.Body.Close()
	var b []byte
	if c.read > 0 {
		b = make([]byte, c.read)
		if _, err = io.ReadFull(resp.Body, b); c.late && err == nil {
			close(late.over)
			_, err = resp.Body.Read(make([]byte, 1))
		}
	} else {
		b, err = io.ReadAll(resp.Body)
	}
	o.BodyErr, o.Body = kind(err), string(b)
	o.Status, o.Proto, o.Length, o.Uncompressed = resp.StatusCode, resp.Proto, resp.ContentLength, resp.Uncompressed
	o.Header, o.Trailer, o.TLS = resp.Header, resp.Trailer, resp.TLS != nil
	o.Header.Del("Date")
	if got := resp.Request.URL.Path; resp.Request.Response == nil && resp.Request != req {
		o.Err = "answers another request, for " + got
	}
	return o
}

// overtime is a context whose time is over when the test says so.
type overtime struct {
	context.Context
	over chan struct{}
}

func (c *overtime) Done() <-chan struct{} { return c.over }

func (c *overtime) Err() error {
	select {
	case <-c.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}
}

func text(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }

// stream is text of unknown length.
func stream(s string) func() io.Reader {
	return func() io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }
}

func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %v %q %v %v", r.Method, r.Host, r.ContentLength, b, r.Trailer, err)
}

func wait(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

var conversations = map[string]conversation{
	"get":         {serve: echo},
	"post":        {method: "POST", serve: echo, body: text("a body")},
	"post stream": {method: "POST", serve: echo, body: stream("a body")},
	"put nothing": {method: "PUT", serve: echo, body: text("")},
	"post much":   {method: "POST", serve: echo, body: stream(strings.Repeat("much ", 100_000))},
	"head":        {method: "HEAD", serve: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1234") }},
	"204":         {serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
	"304":         {serve: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", `"x"`); w.WriteHeader(304) }},
	"500":         {serve: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }},
	"empty":       {serve: func(http.ResponseWriter, *http.Request) {}},
	"chunks": {serve: func(w http.ResponseWriter, _ *http.Request) {
		for i := range 5 {
			fmt.Fprintf(w, "chunk %d\n", i)
			w.(http.Flusher).Flush()
		}
	}},
	"trailers": {serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("Sum", "42")
	}},
	"gzip": {serve: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			w.WriteHeader(406)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, strings.Repeat("zip ", 1000))
		_ = z.Close()
	}},
	"gzip asked for": {header: http.Header{"Accept-Encoding": {"gzip"}}, serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "as it is")
	}},
	"early hints": {serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "late")
	}},
	"continue": {method: "POST", header: http.Header{"Expect": {"100-continue"}}, serve: echo, body: text("a body")},
	"do not continue": {method: "POST", header: http.Header{"Expect": {"100-continue"}}, body: text("a body"), serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusExpectationFailed)
	}},
	"redirect": {serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			http.Redirect(w, r, r.URL.Path+"?there", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "there")
	}},
	"redirect post": {method: "POST", body: text("a body"), serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			w.Header().Set("Location", r.URL.Path+"?there")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		echo(w, r)
	}},
	"server closes": {serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "last")
	}},
	"client closes":    {close: true, serve: echo},
	"HTTP/1.0":         {serve: raw("HTTP/1.0 200 OK\r\n\r\nold")},
	"cut short":        {serve: raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")},
	"cut chunk":        {serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")},
	"cut headers":      {serve: raw("HTTP/1.1 200 OK\r\nContent-Len")},
	"no answer":        {serve: raw("")},
	"not HTTP":         {serve: raw("220 mail.example ESMTP\r\n")},
	"too much":         {race: true, serve: raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n")},
	"headers too long": {serve: raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 20<<10) + "\r\n\r\n")},
	"not all read":     {read: 3, serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) }},
	"read exactly":     {read: 5, serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "12345") }},
	"headers late":     {slow: 150 * time.Millisecond, serve: func(_ http.ResponseWriter, r *http.Request) { wait(nil, r) }},
	"out of time":      {race: true, within: 20 * time.Millisecond, serve: wait},
	"body out of time": {late: true, read: len("some"), serve: func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		wait(w, r)
	}},
}

// TestTransport_AsNetHTTP holds the same conversations over http.Transport and
// over ours, and compares all that a program sees of them.
func TestTransport_AsNetHTTP(t *testing.T) {
	log.SetOutput(io.Discard) // where net/http tells of unasked answers
	defer log.SetOutput(os.Stderr)
	for name, server := range map[string]*httptest.Server{
		"http": httptest.NewServer(nil), "https": httptest.NewTLSServer(nil),
	} {
		t.Run(name, func(t *testing.T) {
			defer server.Close()
			mux := http.NewServeMux()
			server.Config.Handler = mux
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			trust := &tls.Config{RootCAs: x509.NewCertPool()}
			if server.TLS != nil {
				trust.RootCAs.AddCert(server.Certificate())
			}
			rig := newTransportRig(t, keepalive.Config{TLS: trust}, nil)
			for name, c := range conversations {
				t.Run(name, func(t *testing.T) {
					path := "/" + strings.NewReplacer(" ", "-", "/", "-").Replace(name)
					mux.HandleFunc(path, c.serve)
					theirs := &http.Transport{TLSClientConfig: trust, ResponseHeaderTimeout: c.slow, MaxResponseHeaderBytes: 8 << 10, ExpectContinueTimeout: 10 * time.Second}
					ours := &httpclient.Transport{Pool: rig.Pool, ResponseHeaderTimeout: c.slow, MaxResponseHeaderBytes: 8 << 10, ExpectContinueTimeout: 10 * time.Second}
					var got [2]outcome
					for i, rt := range []http.RoundTripper{theirs, ours} {
						got[i] = c.hold(t.Context(), rt, server.URL+path)
						if c.slow == 0 { // else the next answer might be late, too
							got[i].Reused = reuses(t, rt, server.URL)
						}
						(&http.Client{Transport: rt}).CloseIdleConnections()
					}
					if c.race {
						got[0].Reused = false
					}
					if c.within > 0 { // the time may be over before anything was sent
						got[1].Reused = false
					}
					if !reflect.DeepEqual(got[0], got[1]) {
						t.Errorf("net/http: %+v\n    ours: %+v", got[0], got[1])
					}
				})
			}
			eventually(t, "the pool is empty", func() bool { return rig.stats() == keepalive.Load{} })
		})
	}
}

// reuses reports whether another request is sent on a kept connection.
func reuses(t *testing.T, rt http.RoundTripper, url string) (reused bool) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused },
	})
	req, err := http.NewRequestWithContext(ctx, "GET", url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return reused
}
