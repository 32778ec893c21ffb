package httpclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/keepalive"
)

// basics asks for what every server here has, all of it over one connection: /get is
// "GET text", /echo the request's body, /moved a redirect to /get, with a body that
// nobody wants, and /big 1 MiB.
func basics(w *way, url string) {
	w.t.Helper()
	on := ""
	check := func(method, path, body, want string) fate {
		w.t.Helper()
		o, text := w.ask(method, url+path, body)
		if o.err != nil || o.StatusCode != http.StatusOK || text != want {
			w.t.Fatalf("%s %s: %+v, a body of %d bytes, %.50q; want %d", method, path, o, len(text), text, len(want))
		}
		if got := o.Header.Get("X-Connection"); on == "" {
			on = got
		} else if got != on {
			w.t.Errorf("%s %s was on connection %s, those before it on %s", method, path, got, on)
		}
		return o
	}
	check("GET", "/get", "", "GET text")
	check("POST", "/echo", "hello", "hello")
	if o := check("HEAD", "/get", "", ""); o.ContentLength != 8 {
		w.t.Errorf("the answer to HEAD announces %d bytes, want 8", o.ContentLength)
	}
	if o := check("GET", "/moved", "", "GET text"); o.Request.URL.Path != "/get" {
		w.t.Errorf("/moved led to %v, want /get", o.Request.URL)
	}
	check("GET", "/big", "", bigText)
	check("GET", "/get", "", "GET text")
	w.opened(1)
	if s := w.stats(); s.Idle != 1 || s.Total.Immediate != 6 {
		w.t.Errorf("the pool has %+v; want one idle connection, lent 6 times after the first", s)
	}
}

var bigText = strings.Repeat("0123456789abcde\n", 1<<16)

// chunked asks for /chunked, a MiB of a length that is not announced, in a coding
// that is undone, and sends such a one to /echo.
func chunked(w *way, url string, size int) {
	w.t.Helper()
	var text strings.Builder
	o := w.load(request("GET", url+"/chunked", nil), func(p []byte) { text.Write(p) })
	if o.err != nil || len(o.TransferEncoding) != 1 || o.TransferEncoding[0] != "chunked" || !o.Uncompressed || text.String() != bigText {
		w.t.Errorf("%+v with %d bytes; want %d in chunks, uncompressed", o, text.Len(), len(bigText))
	}
	text.Reset()
	sent := strings.Repeat("x", size)
	o = w.load(request("POST", url+"/echo", struct{ io.Reader }{strings.NewReader(sent)}), func(p []byte) { text.Write(p) })
	if o.err != nil || text.String() != sent {
		w.t.Errorf("sent in chunks: %+v and %.50q", o, text.String())
	}
	w.opened(1)
}

func TestA114_A115_RealNginx(t *testing.T) {
	n := newNginx(t, `
		location = /get   { return 200 "GET text"; }
		location = /echo  { client_max_body_size 2m; proxy_set_header X-Body $request_body; proxy_pass http://ADDR/body; }
		location = /body  { add_header X-Connection ""; return 200 $http_x_body; }
		location = /moved { return 302 /get; }
		location = /chunked { gzip on; gzip_types text/plain; try_files /big =404; }
	`)
	n.file("big", 1<<20)
	eachWay(t, keepalive.Config{}, func(w *way) {
		basics(w, n.url)
		chunked(w, n.url, 2000)
	})
}

func TestA114_A115_RealGoServer(t *testing.T) {
	eachWay(t, keepalive.Config{}, func(w *way) {
		s := httptest.NewServer(newGoServer(t))
		defer s.Close()
		basics(w, s.URL)
		chunked(w, s.URL, 1<<20)
	})
}

// SimpleHTTP takes no chunks.
func TestA114_A115_RealSimpleHTTP(t *testing.T) {
	url := newSimpleHTTP(t, "1")
	eachWay(t, keepalive.Config{}, func(w *way) { basics(w, url) })
}
