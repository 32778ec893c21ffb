package httpclient_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// inBubble runs a test with a network in memory and a clock that moves only when
// all wait.
func inBubble(t *testing.T, f func(t *testing.T, n *wheeltest.Network)) {
	kernel.New(kernel.Config{}) // what all kernels share must not be made inside
	synctest.Test(t, func(t *testing.T) {
		f(t, wheeltest.New(wheeltest.Config{Link: wheeltest.Link{Delay: 10 * time.Millisecond}}))
	})
}

func listen(t *testing.T, n *wheeltest.Network, play func(nth int, c *peer)) *script {
	t.Helper()
	ln, err := n.Listen(t.Context(), "tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	return newScript(t, ln, play)
}

// The context ends a request wherever it is, at its time and with its cause, and
// nothing is left behind.
func TestTransport_ContextEnds(t *testing.T) {
	why := errors.New("changed my mind")
	for name, c := range map[string]struct {
		play  func(nth int, c *peer)
		first func(t *testing.T, rig *transportRig, url string) (after func())
		left  keepalive.Load
		proxy bool // the server is one, for an https target
	}{
		"in the pool's queue": {
			play: func(_ int, c *peer) { c.serve() },
			first: func(t *testing.T, rig *transportRig, url string) func() {
				resp, err := rig.client.Get(url)
				return func() { rig.read(resp, err) }
			},
			left: keepalive.Load{Idle: 1},
		},
		"before an answer":          {play: func(_ int, c *peer) { c.ended() }},
		"in the headers":            {play: func(_ int, c *peer) { c.request(); c.say("HTTP/1.1 200 OK\r\nX:"); c.ended() }},
		"in the body":               {play: func(_ int, c *peer) { c.request(); c.say(ok[:len(ok)-1]); c.ended() }},
		"before the proxy's answer": {proxy: true, play: func(_ int, c *peer) { c.ended() }},
		"in TLS behind a proxy": {proxy: true, play: func(_ int, c *peer) {
			c.request()
			c.say("HTTP/1.1 200 OK\r\n\r\n")
			c.ended()
		}},
		"on a kept connection": {
			play: func(_ int, c *peer) { c.request(); c.say(ok); c.ended() },
			first: func(t *testing.T, rig *transportRig, url string) func() {
				rig.get(url)
				return func() {}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *wheeltest.Network) {
				s := listen(t, n, c.play)
				rig := newTransportRig(t, keepalive.Config{MaxPerHost: 1, KeepAlive: time.Hour}, n)
				after := func() {}
				if c.first != nil {
					after = c.first(t, rig, s.url)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(30*time.Second, func() { cancel(why) })
				began := time.Now()
				to := s.url
				if c.proxy {
					rig.Proxy = func(r *http.Request) (*url.URL, error) { return url.Parse(s.url) }
					to = "https://127.0.0.1:1"
				}
				resp, err := rig.client.Do(request("GET", to, nil).WithContext(ctx))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
				}
				if !errors.Is(err, why) || errors.Is(err, httpclient.ErrConnectionLost) {
					t.Errorf("%v, want %v", err, why)
				}
				if took := time.Since(began); took != 30*time.Second {
					t.Errorf("after %v", took)
				}
				after()
				rig.holds(c.left)
				rig.CloseIdleConnections()
				synctest.Wait()
				_ = s.ln.Close()
				s.open.Wait()
			})
		})
	}
}

// A deadline is a timeout, as with http.Transport, in the pool's queue too; so is
// http.Client's, and the pool's own.
func TestTransport_Timeouts(t *testing.T) {
	for name, limit := range map[string]func(rig *transportRig, req *http.Request) (*http.Request, func()){
		"context": func(_ *transportRig, req *http.Request) (*http.Request, func()) {
			ctx, cancel := context.WithTimeout(req.Context(), time.Second)
			return req.WithContext(ctx), cancel
		},
		"client": func(rig *transportRig, req *http.Request) (*http.Request, func()) {
			rig.client.Timeout = time.Second
			return req, func() {}
		},
		"pool": func(_ *transportRig, req *http.Request) (*http.Request, func()) { return req, func() {} },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *wheeltest.Network) {
				n.Between("localhost", "localhost", wheeltest.Link{Drop: true})
				rig := newTransportRig(t, keepalive.Config{Timeout: 2 * time.Second}, n)
				began := time.Now()
				req, done := limit(rig, request("GET", "http://127.0.0.1:80", nil))
				defer done()
				_, err := rig.client.Do(req)
				if kind(err) != "timeout" {
					t.Errorf("%v, want a timeout", err)
				}
				want := time.Second
				if name == "pool" {
					want *= 2
				}
				if took := time.Since(began); took != want {
					t.Errorf("after %v, want %v", took, want)
				}
				eventually(t, "the dial is given up", func() bool { return rig.stats() == keepalive.Load{} })
			})
		})
	}
}

// A proxy that says nothing is given up after a minute.
func TestTransport_SilentProxy(t *testing.T) {
	inBubble(t, func(t *testing.T, n *wheeltest.Network) {
		s := listen(t, n, func(_ int, c *peer) { c.ended() })
		rig := newTransportRig(t, keepalive.Config{}, n)
		rig.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(s.url) }
		began := time.Now()
		_, err := rig.client.Get("https://127.0.0.1:1")
		if kind(err) != "timeout" {
			t.Errorf("%v, want a timeout", err)
		}
		if took := time.Since(began).Round(time.Second); took != time.Minute {
			t.Errorf("after %v", took)
		}
		rig.holds(keepalive.Load{})
		_ = s.ln.Close()
		s.open.Wait()
	})
}

// A server that is slow in everything is waited for, and its connection kept.
func TestTransport_SlowAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, n *wheeltest.Network) {
		s := listen(t, n, func(_ int, c *peer) {
			for c.request() {
				_ = c.SetDeadline(time.Time{})
				for _, b := range []byte(ok) {
					time.Sleep(time.Minute)
					c.say(string(b))
				}
			}
		})
		rig := newTransportRig(t, keepalive.Config{KeepAlive: time.Hour, MaxLifetime: keepalive.NoLimit}, n)
		for range 3 {
			began := time.Now()
			if got := rig.get(s.url); got != "ok" {
				t.Errorf("got %q", got)
			}
			if took := time.Since(began); took < time.Duration(len(ok))*time.Minute {
				t.Errorf("after %v", took)
			}
			rig.holds(keepalive.Load{Idle: 1})
		}
		s.accepted(t, 1)
		rig.CloseIdleConnections()
		synctest.Wait()
		_ = s.ln.Close()
		s.open.Wait()
	})
}

// ExpectContinueTimeout: the body goes out when the server has kept silent so long.
func TestTransport_ExpectContinueTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, n *wheeltest.Network) {
		s := listen(t, n, func(_ int, c *peer) {
			req, err := http.ReadRequest(c.in)
			if err != nil {
				return
			}
			began := time.Now()
			_, _ = io.Copy(io.Discard, req.Body)
			if took := time.Since(began); took != time.Second {
				t.Errorf("the body came after %v", took)
			}
			c.say(ok)
			c.ended()
		})
		rig := newTransportRig(t, keepalive.Config{}, n)
		rig.ExpectContinueTimeout = time.Second
		req := request("POST", s.url, strings.NewReader("body"))
		req.Header.Set("Expect", "100-continue")
		rig.read(rig.client.Do(req))
		rig.holds(keepalive.Load{Idle: 1})
		rig.CloseIdleConnections()
		synctest.Wait()
		_ = s.ln.Close()
		s.open.Wait()
	})
}

// After 101 the body is the connection, until it is closed.
func TestTransport_Upgrade(t *testing.T) {
	s := newScript(t, nil, func(_ int, c *peer) {
		c.request()
		c.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nwelcome\n")
		_, _ = io.Copy(c, c.in)
		c.say("bye")
	})
	rig := newTransportRig(t, keepalive.Config{}, nil)
	req := request("GET", s.url, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := rig.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || resp.StatusCode != 101 {
		t.Fatalf("%s with a %T", resp.Status, resp.Body)
	}
	in := bufio.NewReader(conn)
	for _, line := range []string{"welcome\n", "one\n", "two\n"} {
		if got, err := in.ReadString('\n'); got != line {
			t.Fatalf("got %q, %v", got, err)
		}
		_, _ = io.WriteString(conn, map[string]string{"welcome\n": "one\n", "one\n": "two\n"}[line])
		rig.holds(keepalive.Load{Lent: 1})
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(in); string(rest) != "bye" {
		t.Errorf("got %q, %v", rest, err)
	}
	rig.holds(keepalive.Load{Lent: 1})
	_ = conn.Close()
	rig.holds(keepalive.Load{})
}

// The hooks of httptrace see each stage; GotConn also how long a connection was idle.
func TestTransport_Trace(t *testing.T) {
	inBubble(t, func(t *testing.T, n *wheeltest.Network) {
		s := listen(t, n, func(_ int, c *peer) { c.serve() })
		rig := newTransportRig(t, keepalive.Config{}, n)
		var got []string
		note := func(s string) { got = append(got, s) }
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GetConn: func(to string) { note("get " + to) },
			GotConn: func(i httptrace.GotConnInfo) {
				switch {
				case i.Conn == nil || i.Reused != i.WasIdle:
					t.Errorf("%+v", i)
				case i.Reused:
					note("got, idle for " + i.IdleTime.String())
				default:
					note("got")
				}
			},
			WroteRequest:         func(i httptrace.WroteRequestInfo) { note("wrote") },
			GotFirstResponseByte: func() { note("answer") },
			PutIdleConn:          func(err error) { note("put") },
		})
		for range 2 {
			rig.read(rig.client.Do(request("GET", s.url, nil).WithContext(ctx)))
			time.Sleep(time.Second)
		}
		want := "get 127.0.0.1:80, got, wrote, answer, put, get 127.0.0.1:80, got, idle for 1s, wrote, answer, put"
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		rig.CloseIdleConnections()
		synctest.Wait()
		_ = s.ln.Close()
		s.open.Wait()
	})
}

// R5: bytes that come when net/http already expects an answer, but has sent nothing
// of the request, are not that answer.
func TestR5_UnaskedBytesBeforeTheRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, n *wheeltest.Network) {
		now := make(chan bool)
		s := listen(t, n, func(nth int, c *peer) {
			c.request()
			c.say(ok)
			if nth == 1 {
				<-now
				c.say(strings.Replace(ok, "ok", "no", 1))
			}
			c.ended()
		})
		rig := newTransportRig(t, keepalive.Config{}, n)
		rig.get(s.url)
		var once sync.Once
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			WroteHeaderField: func(string, []string) { // into its buffer
				once.Do(func() { now <- true; time.Sleep(time.Second) })
			},
		})
		req := request("POST", s.url, strings.NewReader("body")).WithContext(ctx)
		if got := rig.read(rig.client.Do(req)); got != "ok" {
			t.Errorf("got %q", got)
		}
		s.accepted(t, 2)
		rig.holds(keepalive.Load{Idle: 1})
		rig.CloseIdleConnections()
		synctest.Wait()
		_ = s.ln.Close()
		s.open.Wait()
	})
}

// A pool that shuts down answers who waits for it, and leaves alone who has a
// connection.
func TestTransport_PoolShutsDown(t *testing.T) {
	inBubble(t, func(t *testing.T, n *wheeltest.Network) {
		s := listen(t, n, func(_ int, c *peer) { c.serve() })
		rig := newTransportRig(t, keepalive.Config{MaxPerHost: 1}, n)
		used, err := rig.client.Get(s.url)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, rig.Pool.Shutdown)
		for range 2 { // the second comes too late
			if _, err := rig.client.Get(s.url); !errors.Is(err, keepalive.ErrShutDown) {
				t.Errorf("%v, want %v", err, keepalive.ErrShutDown)
			}
		}
		if got := rig.read(used, nil); got != "ok" {
			t.Errorf("got %q", got)
		}
		synctest.Wait()
		_ = s.ln.Close()
		s.open.Wait() // the server's end has ended
	})
}
