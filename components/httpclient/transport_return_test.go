package httpclient_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

// A114: after a complete response the connection is in the pool, at once; after
// "Connection: close" it is closed.
func TestA114_CompleteAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/close" {
			w.Header().Set("Connection", "keep-alive, Close")
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
	}))
	defer server.Close()
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		rig := newTransportRigIn(t, mode, keepalive.Config{}, nil)
		closed := 0 // by net/http, whose writing goroutine had 50 ms to say that it was done
		returned := func() {
			t.Helper()
			if s := rig.stats(); s == (keepalive.Load{}) {
				closed++
			} else if s != (keepalive.Load{Idle: 1}) {
				t.Errorf("the pool has %+v, want an idle connection", s)
			}
		}
		for range 100 {
			rig.get(server.URL)
			returned()
			rig.read(rig.client.Head(server.URL))
			returned()
		}
		if closed > 10 {
			t.Errorf("%d of 200 connections did not come back", closed)
		}
		rig.get(server.URL + "/close")
		rig.holds(keepalive.Load{})
	}
}

// A115: an answer that is out of time, cancelled, too large or not wanted ends its
// connection.
func TestA115_IncompleteAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			w.Header().Set("X", strings.Repeat("x", 20<<10))
		}
		if r.URL.Path != "/late" {
			_, _ = io.WriteString(w, "some")
			_ = http.NewResponseController(w).Flush()
		}
		if r.URL.Path != "/" {
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	for name, c := range map[string]struct {
		path string
		end  func(cancel func(), resp *http.Response)
	}{
		"headers out of time": {"/late", nil},
		"headers too large":   {"/large", nil},
		"cancelled, then read": {"/more", func(cancel func(), resp *http.Response) {
			cancel()
			_, _ = io.ReadAll(resp.Body)
		}},
		"cancelled, then closed": {"/more", func(cancel func(), resp *http.Response) {
			cancel()
			_ = resp.Body.Close()
		}},
		"cancelled, and forgotten": {"/more", func(cancel func(), _ *http.Response) { cancel() }},
		"not wanted":               {"/more", func(_ func(), resp *http.Response) { _ = resp.Body.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			rig := newTransportRig(t, keepalive.Config{}, nil)
			if rig.MaxResponseHeaderBytes = 8 << 10; c.path == "/late" {
				rig.ResponseHeaderTimeout = 2 * time.Second
			}
			rig.get(server.URL)
			rig.holds(keepalive.Load{Idle: 1})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			resp, err := rig.RoundTrip(request("GET", server.URL+c.path, nil).WithContext(ctx))
			if (err != nil) != (c.end == nil) {
				t.Fatal(err)
			}
			if err == nil {
				rig.holds(keepalive.Load{Lent: 1})
				c.end(cancel, resp)
			}
			if name == "cancelled, and forgotten" {
				eventually(t, "the pool is empty", func() bool { return rig.stats() == keepalive.Load{} })
			}
			rig.holds(keepalive.Load{})
		})
	}
}

// R4: the server closes after its answer was sent and before it was read. The next
// request gets a new connection, and sees nothing of that.
func TestR4_EndBeforeReturn(t *testing.T) {
	closed := make(chan bool)
	s := newScript(t, nil, func(_ int, c *peer) {
		c.request()
		c.say(ok)
		_ = c.Close()
		closed <- true
	})
	rig := newTransportRig(t, keepalive.Config{}, nil)
	for i := range 50 {
		resp, err := rig.client.Get(s.url)
		if err != nil {
			t.Fatal(err)
		}
		<-closed
		if got := rig.read(resp, nil); got != "ok" {
			t.Errorf("got %q", got)
		}
		s.accepted(t, int64(i+1))
	}
}

// R5: more came than the answer. The connection is not lent again, and nobody takes
// that for an answer: neither when it came together with the answer, nor after it.
func TestR5_UnaskedBytes(t *testing.T) {
	log.SetOutput(io.Discard) // where net/http tells of it
	defer log.SetOutput(os.Stderr)
	unasked := strings.Replace(ok, "ok", "no", 1)
	for name, answer := range map[string]string{"body": ok, "no body": "HTTP/1.1 204 No Content\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, nil, func(_ int, c *peer) {
				c.request()
				c.say(answer + unasked)
				c.ended()
			})
			rig := newTransportRig(t, keepalive.Config{}, nil)
			for i := range 50 {
				if got := rig.get(s.url); got == "no" {
					t.Fatal("somebody else's answer")
				}
				rig.holds(keepalive.Load{})
				s.accepted(t, int64(i+1))
			}
		})
		t.Run(name+", later", func(t *testing.T) {
			done := make(chan bool)
			s := newScript(t, nil, func(_ int, c *peer) {
				c.request()
				c.say(answer)
				<-done
				c.say(unasked)
				c.ended()
				done <- true
			})
			rig := newTransportRig(t, keepalive.Config{}, nil)
			for i := range 50 {
				if got := rig.get(s.url); got == "no" {
					t.Fatal("somebody else's answer")
				}
				done <- true
				<-done // it was noticed
				s.accepted(t, int64(i+1))
			}
		})
	}
}

// R5: nor is it lent to those who wait for it, before net/http has found what is left over.
func TestR5_UnaskedBytesWhileOthersWait(t *testing.T) {
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	const users, each = 8, 100
	s := newScript(t, nil, func(_ int, c *peer) {
		c.request()
		c.say(ok + strings.Replace(ok, "ok", "no", 1))
		if n, _ := c.in.WriteTo(io.Discard); n > 0 {
			t.Errorf("%d bytes more were sent", n)
		}
	})
	rig := newTransportRig(t, keepalive.Config{MaxPerHost: 1}, nil)
	var all sync.WaitGroup
	for range users {
		all.Go(func() {
			for range each {
				if b, err := rig.fetch(request("GET", s.url, nil)); b != "ok" {
					t.Errorf("got %q, %v", b, err)
				}
			}
		})
	}
	all.Wait()
	s.accepted(t, users*each)
	rig.holds(keepalive.Load{})
}

// An answer that comes before the request was read: the connection is closed, as
// the rest of the request would go before the next one.
func TestTransport_AnswerBeforeTheBody(t *testing.T) {
	s := newScript(t, nil, func(_ int, c *peer) {
		c.say("")
		_, _ = http.ReadRequest(c.in)
		c.say(ok)
		c.ended()
	})
	rig := newTransportRig(t, keepalive.Config{}, nil)
	for i := range 3 {
		body, more := io.Pipe()
		resp, err := rig.client.Post(s.url, "text/plain", body)
		if got := rig.read(resp, err); got != "ok" {
			t.Errorf("got %q", got)
		}
		rig.holds(keepalive.Load{})
		_ = more.Close()
		s.accepted(t, int64(i+1))
	}
}

// CloseIdleConnections closes what is idle, and leaves alone what is in use and
// what other Transports have.
func TestTransport_CloseIdleConnections(t *testing.T) {
	ended := make(chan int)
	s := newScript(t, nil, func(nth int, c *peer) {
		c.serve()
		ended <- nth
	})
	rig := newTransportRig(t, keepalive.Config{}, nil)
	other := &http.Client{Transport: httpclient.NewTransport(rig.Pool)}
	used, err := rig.client.Get(s.url) // connection 1
	if err != nil {
		t.Fatal(err)
	}
	rig.get(s.url)             // 2
	rig.read(other.Get(s.url)) // 3
	rig.client.CloseIdleConnections()
	if nth := <-ended; nth != 2 {
		t.Errorf("connection %d was closed", nth)
	}
	rig.read(used, nil)
	rig.get(s.url)
	rig.read(other.Get(s.url))
	s.accepted(t, 3)
	eventually(t, "its place is free", func() bool { return rig.stats() == keepalive.Load{Idle: 2} })
	other.CloseIdleConnections()
	rig.client.CloseIdleConnections()
	<-ended
	<-ended
}
