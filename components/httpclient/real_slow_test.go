package httpclient_test

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// A big answer comes whole, however slowly it is taken, and leaves its connection to
// the next request.
func TestA114_RealNginx_BigBody(t *testing.T) {
	n := newNginx(t, ``)
	sum := func(f func(h hash.Hash)) [32]byte {
		h := sha256.New()
		f(h)
		return [32]byte(h.Sum(nil))
	}
	const size = 8 << 20
	want := sum(func(h hash.Hash) { _, _ = io.WriteString(h, n.file("big", size)) })
	eachWay(t, keepalive.Config{}, func(w *way) {
		got := 0
		if sum(func(h hash.Hash) {
			o := w.load(request("GET", n.url+"/big", nil), func(p []byte) {
				got += len(p)
				_, _ = h.Write(p)
			})
			if o.err != nil || o.ContentLength != size {
				w.t.Errorf("%+v", o)
			}
		}) != want {
			w.t.Errorf("%d bytes came, of %d; they differ", got, size)
		}
		if h, _ := w.get(n.url + "/big"); h.Get("X-Request") != "2" {
			w.t.Errorf("the next request is number %s of its connection, want 2", h.Get("X-Request"))
		}
		w.opened(1)
	})
}

// A slow answer is no late one: the time limit starts again with each piece (A113).
func TestA113_RealNginx_Slow(t *testing.T) {
	const limit, size = 3 * time.Second, 64 << 10
	n := newNginx(t, `sendfile_max_chunk 8k; location = /slow { limit_rate 16k; } location = /get { return 200 text; }`)
	n.file("slow", size) // 8 KiB each 500 ms
	eachWay(t, keepalive.Config{}, func(w *way) {
		w.t.Parallel()
		w.quiet = limit
		began, got := time.Now(), 0
		o := w.load(request("GET", n.url+"/slow", nil), func(p []byte) { got += len(p) })
		if o.err != nil || got != size {
			w.t.Errorf("%+v, %d bytes", o, got)
		}
		if took := time.Since(began); took < limit {
			w.t.Errorf("it took %v: the limit of %v was not tried", took, limit)
		}
		w.get(n.url + "/get")
		w.opened(1)
	})
}

// A server that stops in the middle of its answer is late. Its connection is not used
// again, though it goes on later.
func TestA113_A115_RealNginx_Stopped(t *testing.T) {
	eachWay(t, keepalive.Config{}, func(w *way) {
		n := newNginx(w.t, `location = /slow { limit_rate 4k; } location = /get { return 200 text; }`)
		n.file("slow", 64<<10)
		ordinary := w.quiet
		w.quiet = 2 * time.Second
		got := 0
		o := w.load(request("GET", n.url+"/slow", nil), func(p []byte) {
			got += len(p)
			n.signal(syscall.SIGSTOP)
		})
		w.fails(o.err, context.DeadlineExceeded, httpclient.ErrTimeout)
		if got == 0 || got == 64<<10 {
			w.t.Errorf("%d bytes came; want a part", got)
		}
		n.signal(syscall.SIGCONT)
		w.quiet = ordinary
		if h, text := w.get(n.url + "/get"); h.Get("X-Request") != "1" || text != "text" {
			w.t.Errorf("the next request is number %s of its connection, want 1; body %q", h.Get("X-Request"), text)
		}
		w.opened(2)
		eventually(w.t, "one connection is spoiled", func() bool { return w.stats().Total.Spoiled == 1 }) // after the answer, by event
	})
}

// The server is killed while it answers: the part that came is no answer, nothing is
// asked again, the server that follows is.
func TestA117_RealNginx_KilledWhileAnswering(t *testing.T) {
	eachWay(t, keepalive.Config{}, func(w *way) {
		n := newNginx(w.t, `location = /slow { limit_rate_after 16k; limit_rate 1k; } location = /get { return 200 text; }`)
		n.file("slow", 64<<10)
		w.get(n.url + "/get") // on the connection that is used again
		got := 0
		o := w.load(request("GET", n.url+"/slow", nil), func(p []byte) {
			got += len(p)
			n.kill()
		})
		w.fails(o.err, io.ErrUnexpectedEOF, httpclient.ErrNoAnswer)
		if got == 0 || got == 64<<10 {
			w.t.Errorf("%d bytes came; want a part", got)
		}
		w.opened(1)
		o, _ = w.ask("GET", n.url+"/get", "")
		w.fails(o.err, syscall.ECONNREFUSED, httpclient.ErrConnect)
		if !n.start(w.t) {
			w.t.Fatal(n.program.err.String())
		}
		w.get(n.url + "/get")
		w.opened(2)
	})
}

// A killed server's idle connections are found dead.
func TestA93_RealNginx_KilledWhileIdle(t *testing.T) {
	eachWay(t, keepalive.Config{}, func(w *way) {
		n := newNginx(w.t, `location / { return 200 text; }`)
		w.get(n.url)
		n.kill()
		if !n.start(w.t) {
			w.t.Fatal(n.program.err.String())
		}
		o, text := w.ask("POST", n.url, "body") // which would not be sent again
		if o.err != nil || o.StatusCode != http.StatusOK || text != "text" {
			w.t.Errorf("%+v, %q", o, text)
		}
		w.opened(2)
	})
}
