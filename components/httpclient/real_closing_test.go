package httpclient_test

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// quiet silences net/http, which tells package log of unasked answers.
func quiet(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
}

// nginx says "Connection: close" with the last answer that it gives on a connection.
func TestA114_RealNginx_KeepaliveRequests(t *testing.T) {
	n := newNginx(t, `keepalive_requests 3; location / { return 200 text; }`)
	eachWay(t, keepalive.Config{}, func(w *way) {
		on := map[string]int{}
		for i := range 10 {
			h, text := w.get(n.url)
			on[h.Get("X-Connection")]++
			if want := strconv.Itoa(i%3 + 1); h.Get("X-Request") != want || text != "text" {
				w.t.Errorf("request %d is number %s of its connection, want %s; body %q", i, h.Get("X-Request"), want, text)
			}
		}
		if len(on) != 4 {
			w.t.Errorf("the requests were on %d connections, want 4: %v", len(on), on)
		}
		w.opened(4)
		if s := w.stats(); s.Idle != 1 || s.Total.Spoiled != 3 {
			w.t.Errorf("the pool has %+v; want one idle connection, and three that came back closed", s)
		}
	})
}

// A connection that the server gave up first is closed without a request on it.
func TestA93_A120_RealNginx_ShorterKeepAlive(t *testing.T) {
	n := newNginx(t, `keepalive_timeout 20ms; location / { return 200 text; }`)
	eachWay(t, keepalive.Config{}, func(w *way) {
		w.t.Parallel() // the pool looks once a second
		first, _ := w.get(n.url)
		eventually(w.t, "the pool sees the end", func() bool { return w.stats().Idle == 0 })
		second, _ := w.get(n.url)
		if first.Get("X-Connection") == second.Get("X-Connection") {
			w.t.Error("both requests were on one connection")
		}
		w.opened(2)
		if s := w.stats(); s.Total.Dead+s.Total.Spoiled == 0 {
			w.t.Errorf("the pool has %+v; want a dead connection", s.Total)
		}
	})
}

// nginx closes connections a millisecond after their answer, while they are about to
// be used again. Every GET is answered; a POST reaches nginx once at most, and its
// user knows when it is not answered.
func TestA120_RealNginx_ClosesAtTheWorstMoment(t *testing.T) {
	n := newNginx(t, `keepalive_timeout 1ms; location / { return 200 $request_uri; }`)
	eachWay(t, keepalive.Config{MaxPerHost: 8}, func(w *way) {
		const askers, each = 8, 60
		var lost, answered, reused atomic.Int64
		var all sync.WaitGroup
		dir := "/" + strings.NewReplacer("/", "-", " ", "-").Replace(w.t.Name()) + "/"
		for a := range askers {
			all.Go(func() {
				for i := range each {
					<-time.After(time.Duration(rand.IntN(2500)) * time.Microsecond)
					method := []string{"GET", "POST"}[i%2]
					path := fmt.Sprintf("%s%s/%d.%d", dir, method, a, i)
					switch o, text := w.ask(method, n.url+path, "body"[:i%2*4]); {
					case o.err != nil && method == "POST":
						lost.Add(1)
						w.fails(o.err, httpclient.ErrConnectionLost, httpclient.ErrNoAnswer)
					case o.err != nil || o.StatusCode != http.StatusOK || text != path:
						w.t.Errorf("%s %s: %+v, %.50q", method, path, o, text)
					default:
						answered.Add(1)
						if o.Header.Get("X-Request") != "1" {
							reused.Add(1)
						}
					}
				}
			})
		}
		all.Wait()
		w.t.Logf("%d answered, %d of them on kept connections, %d POSTs lost; %+v", answered.Load(), reused.Load(), lost.Load(), w.stats().Total)
		if n := answered.Load() + lost.Load(); n != askers*each {
			w.t.Errorf("%d outcomes of %d requests", n, askers*each)
		}
		if reused.Load() == 0 {
			w.t.Error("no connection was used again: nothing was tried")
		}
		var seen map[string]int
		eventually(w.t, "nginx knows of all that was answered", func() bool { // lost POSTs may be among its lines, too
			seen = map[string]int{}
			for _, line := range n.log(dir, int(answered.Load())) {
				seen[line[strings.LastIndexByte(line, ' ')+1:]]++
			}
			return len(seen) >= int(answered.Load())
		})
		for path, times := range seen {
			if times > 1 && strings.Contains(path, "POST") {
				w.t.Errorf("%s came %d times", path, times)
			}
		}
	})
}

// SimpleHTTP without KEEPALIVE, and with it behind an error, closes after its answer
// without a word about it.
func TestA120_RealSimpleHTTP_ClosesUnannounced(t *testing.T) {
	for _, c := range []struct{ keep, path string }{{"0", "/get"}, {"1", "/error"}} {
		t.Run(c.path, func(t *testing.T) {
			url := newSimpleHTTP(t, c.keep)
			before := 0
			eachWay(t, keepalive.Config{}, func(w *way) {
				const n = 20
				lost, handled := 0, 0
				for i := range n {
					method := []string{"GET", "POST"}[i%2]
					o, text := w.ask(method, url+c.path, "body"[:i%2*4])
					switch {
					case o.err != nil && method == "POST":
						lost++
						w.fails(o.err, httpclient.ErrConnectionLost, httpclient.ErrNoAnswer)
					case o.err != nil || text != map[string]string{"/get": "GET text", "/error": "error"}[c.path]:
						w.t.Fatalf("request %d: %+v, %q", i, o, text)
					default:
						handled, _ = strconv.Atoi(o.Header.Get("X-Handled"))
					}
				}
				if handled-before+lost != n {
					w.t.Errorf("the server handled %d requests, %d of %d were lost", handled-before, lost, n)
				}
				before = handled
				w.opened(n - lost)
			})
		})
	}
}

func listenAgain(t *testing.T, addr net.Addr) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
