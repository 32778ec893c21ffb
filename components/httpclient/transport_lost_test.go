package httpclient_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// dyingServer answers the first request of a connection. With the second it hangs
// up, in the way that hangUp says, unless it is on a connection after the first bad
// ones.
func dyingServer(t *testing.T, bad int, hangUp func(*peer)) (s *script, requests *atomic.Int64) {
	requests = new(atomic.Int64)
	s = newScript(t, nil, func(nth int, c *peer) {
		for i := 0; ; i++ {
			if nth <= bad && i == 1 {
				if _, err := c.in.Peek(1); err == nil {
					requests.Add(1)
					hangUp(c)
				}
				return
			}
			if !c.request() {
				return
			}
			requests.Add(1)
			c.say(ok)
		}
	})
	return s, requests
}

var hangUps = map[string]func(*peer){
	"first byte read": func(c *peer) {},
	"request read":    func(c *peer) { c.request() },
	"reset":           func(c *peer) { c.request(); c.reset() },
	"half closed":     func(c *peer) { _ = c.Conn.(interface{ CloseWrite() error }).CloseWrite(); c.ended() },
}

// A120: POE has the caller see an error. Here a request that may be repeated is,
// on another connection, and the caller does not notice.
func TestA120_RepeatedOnAKeptConnection(t *testing.T) {
	for how, hangUp := range hangUps {
		for name, ask := range map[string]func(url string) *http.Request{
			"GET":    func(url string) *http.Request { return request("GET", url, nil) },
			"TRACE":  func(url string) *http.Request { return request("TRACE", url, nil) },
			"DELETE": func(url string) *http.Request { return keyed(request("DELETE", url, nil), "X-Idempotency-Key") },
			"POST": func(url string) *http.Request {
				return keyed(request("POST", url, strings.NewReader("body")), "Idempotency-Key")
			},
		} {
			t.Run(how+" "+name, func(t *testing.T) {
				s, requests := dyingServer(t, 1, hangUp)
				rig := newTransportRig(t, keepalive.Config{}, nil)
				rig.get(s.url)
				rig.read(rig.client.Do(ask(s.url)))
				s.accepted(t, 2)
				if n := requests.Load(); n != 3 {
					t.Errorf("the server saw %d requests, want the first, the lost and the repeated one", n)
				}
				rig.holds(keepalive.Load{Idle: 1})
			})
		}
	}
}

// A120: what may have had an effect is not repeated, and the error says so.
func TestA120_NotRepeated(t *testing.T) {
	for how, hangUp := range hangUps {
		for name, ask := range map[string]func(url string) *http.Request{
			"POST":             func(url string) *http.Request { return request("POST", url, strings.NewReader("body")) },
			"DELETE":           func(url string) *http.Request { return request("DELETE", url, nil) },
			"GET with no copy": func(url string) *http.Request { return request("GET", url, once{strings.NewReader("body")}) },
		} {
			t.Run(how+" "+name, func(t *testing.T) {
				s, requests := dyingServer(t, 1, hangUp)
				rig := newTransportRig(t, keepalive.Config{}, nil)
				rig.get(s.url)
				_, err := rig.client.Do(ask(s.url))
				var lost *httpclient.LostError
				if !errors.Is(err, httpclient.ErrConnectionLost) || !errors.As(err, &lost) || !lost.Reused || lost.Sent == 0 {
					t.Errorf("%v (%+v), want a kept connection lost with something sent", err, lost)
				}
				s.accepted(t, 1)
				if n := requests.Load(); n != 2 {
					t.Errorf("the server saw %d requests, want 2", n)
				}
				rig.holds(keepalive.Load{})
			})
		}
	}
}

// A120: a new connection that is lost says something about the server.
func TestA120_NewConnectionIsNotTriedAgain(t *testing.T) {
	s := newScript(t, nil, func(_ int, c *peer) { c.request() })
	rig := newTransportRig(t, keepalive.Config{}, nil)
	_, err := rig.client.Get(s.url)
	var lost *httpclient.LostError
	if !errors.As(err, &lost) || lost.Reused || !errors.Is(err, io.EOF) {
		t.Errorf("%v, want a new connection lost to io.EOF", err)
	}
	s.accepted(t, 1)
	rig.holds(keepalive.Load{})
}

// A120: repeating has an end, even when all kept connections are bad.
func TestA120_RepeatedAFewTimesOnly(t *testing.T) {
	const kept = 6
	s, requests := dyingServer(t, 100, func(c *peer) {})
	rig := newTransportRig(t, keepalive.Config{MaxPerHost: kept}, nil)
	var bodies []io.ReadCloser
	for range kept {
		resp, err := rig.client.Get(s.url)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
	}
	for _, b := range bodies {
		_, _ = io.Copy(io.Discard, b)
	}
	rig.holds(keepalive.Load{Idle: kept})
	_, err := rig.client.Get(s.url)
	var lost *httpclient.LostError
	if !errors.As(err, &lost) || lost.Tries != 4 || !strings.Contains(err.Error(), "KeepAlive") {
		t.Errorf("%v, want %v in 4 tries, and what to do", err, httpclient.ErrConnectionLost)
	}
	if n := requests.Load() - kept; n != 4 {
		t.Errorf("sent %d times, want 4", n)
	}
	rig.holds(keepalive.Load{Idle: kept - 4})
}

// A120: an answer that has begun is not asked for again.
func TestA120_AnswerThatHasBegun(t *testing.T) {
	for name, part := range map[string]string{"a byte": "H", "headers": ok[:len(ok)-2]} {
		t.Run(name, func(t *testing.T) {
			s, requests := dyingServer(t, 1, func(c *peer) { c.request(); c.say(part) })
			rig := newTransportRig(t, keepalive.Config{}, nil)
			rig.get(s.url)
			resp, err := rig.client.Get(s.url)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
			}
			if err == nil || errors.Is(err, httpclient.ErrConnectionLost) {
				t.Errorf("%v, want one of net/http's", err)
			}
			if n := requests.Load(); n != 2 {
				t.Errorf("the server saw %d requests, want 2", n)
			}
			rig.holds(keepalive.Load{})
		})
	}
}

// A request that net/http refuses to send costs no connection.
func TestTransport_RefusedRequest(t *testing.T) {
	s := newScript(t, nil, func(_ int, c *peer) { c.serve() })
	rig := newTransportRig(t, keepalive.Config{}, nil)
	rig.get(s.url)
	req := request("POST", s.url, &closes{Reader: strings.NewReader("body")})
	req.Header["Bad\x00Name"] = []string{"x"}
	if _, err := rig.RoundTrip(req); err == nil {
		t.Error("a bad header was sent")
	}
	if n := req.Body.(*closes).n.Load(); n != 1 {
		t.Errorf("the body was closed %d times", n)
	}
	rig.holds(keepalive.Load{Idle: 1})
	rig.get(s.url)
	s.accepted(t, 1)
}

// Whatever becomes of a request, its body is closed, once.
func TestTransport_BodyIsClosedOnce(t *testing.T) {
	s, _ := dyingServer(t, 1000, func(c *peer) {})
	rig := newTransportRig(t, keepalive.Config{}, nil)
	for i := range 100 {
		var bodies []*closes
		body := func() (io.ReadCloser, error) {
			bodies = append(bodies, &closes{Reader: strings.NewReader("body")})
			return bodies[len(bodies)-1], nil
		}
		req := request("POST", s.url, nil)
		req.Body, _ = body()
		req.ContentLength = 4
		if i%2 == 0 {
			req.GetBody = body
			keyed(req, "Idempotency-Key")
		}
		resp, err := rig.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		for _, b := range bodies {
			eventually(t, "the body is closed", func() bool { return b.n.Load() > 0 })
			if n := b.n.Load(); n != 1 {
				t.Errorf("closed %d times", n)
			}
		}
	}
}

// So is a file, which net/http gets as it is, for the system to send.
func TestTransport_FileIsClosed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	}))
	defer server.Close()
	name := filepath.Join(t.TempDir(), "file")
	want := strings.Repeat("a file ", 50_000)
	if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	rig := newTransportRig(t, keepalive.Config{}, nil)
	for _, url := range []string{server.URL, "http://127.0.0.1:1"} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := rig.client.Post(url, "text/plain", file)
		if err == nil {
			if got := rig.read(resp, nil); got != want {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
		}
		eventually(t, "the file is closed", func() bool { _, err := file.Stat(); return errors.Is(err, os.ErrClosed) })
	}
}

// once is a reader that http.NewRequest makes no GetBody for.
type once struct{ io.Reader }

// closes counts.
type closes struct {
	io.Reader
	n atomic.Int64
}

func (c *closes) Close() error { c.n.Add(1); return nil }

func request(method, url string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	return req
}

func keyed(req *http.Request, name string) *http.Request {
	req.Header.Set(name, "1")
	return req
}
