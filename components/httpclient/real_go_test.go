package httpclient_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// newGoServer has the paths of basics, and more.
func newGoServer(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/get", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "GET text") })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body) // all of it before the answer, or this server cuts it off
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text)
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/get", http.StatusFound)
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, bigText) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_ = http.NewResponseController(w).Flush()
		z := gzip.NewWriter(w)
		defer z.Close()
		_, _ = io.WriteString(z, bigText)
	})
	mux.HandleFunc("/much", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmuch"+"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
		_, _ = io.Copy(io.Discard, conn)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Connection", r.RemoteAddr)
		mux.ServeHTTP(w, r)
	})
}

// What a server sends behind its answer reaches nobody.
func TestA115_R5_RealServersThatSendTooMuch(t *testing.T) {
	quiet(t)
	s := httptest.NewServer(newGoServer(t))
	defer s.Close()
	for name, url := range map[string]func(*testing.T) string{
		"Go":         func(*testing.T) string { return s.URL },
		"SimpleHTTP": func(t *testing.T) string { return newSimpleHTTP(t, "1") },
	} {
		t.Run(name, func(t *testing.T) {
			url := url(t)
			eachWay(t, keepalive.Config{}, func(w *way) {
				for range 5 {
					if _, text := w.get(url + "/much"); text != "much" {
						w.t.Errorf("got %q", text)
					}
					if _, text := w.get(url + "/get"); text != "GET text" {
						w.t.Errorf("the next got %q", text)
					}
				}
				w.opened(6) // each /much takes one with it; the others share the next
			})
		})
	}
}

// A server that is shut down ends its idle connections; another in its place is asked
// over new ones, and nobody notices.
func TestA120_RealGoServerRestarts(t *testing.T) {
	eachWay(t, keepalive.Config{}, func(w *way) {
		s := httptest.NewServer(newGoServer(t))
		w.get(s.URL + "/get")
		addr := s.Listener.Addr()
		s.Close()
		o, _ := w.ask("GET", s.URL+"/get", "")
		w.fails(o.err, syscall.ECONNREFUSED, httpclient.ErrConnect)
		again := httptest.NewUnstartedServer(newGoServer(t))
		again.Listener.Close()
		again.Listener = listenAgain(t, addr)
		again.Start()
		defer again.Close()
		w.get(s.URL + "/get")
		w.opened(2)
	})
}
