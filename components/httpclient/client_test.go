package httpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

func TestA117_AnswersAreNotErrors(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-PCCH-Errmsg", "forged")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, "%s %s from %q agent %q", r.Method, r.URL, r.Header.Get("From"), r.UserAgent())
		})
		u := newUser(t, newClient(t, k, Config{Agent: []string{"a"}, From: "me@here"}))
		r := u.ask(get(t, s.URL+"/x?y=z"))
		const want = `GET /x?y=z from "me@here" agent "a"`
		if r.Err != nil || r.HTTP.StatusCode != 404 || string(r.Body) != want {
			t.Fatalf("%v %v %q", r.Err, r.HTTP.Status, r.Body)
		}
		if again, err := io.ReadAll(r.HTTP.Body); string(again) != want || err != nil {
			t.Errorf("HTTP.Body gives %q, %v", again, err)
		}
		peer := strings.Replace(s.Listener.Addr().String(), ":", ".", 1)
		if got := r.HTTP.Header.Get("X-PCCH-Peer"); got != peer {
			t.Errorf("peer %q, want %q", got, peer)
		}
		if got := r.HTTP.Header.Get("X-PCCH-Errmsg"); got != "" {
			t.Errorf("the server's text %q is taken for ours", got)
		}
	})
}

// TestHeadersOfTheRequestWin, and the request is not changed.
func TestHeadersOfTheRequestWin(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.UserAgent(), r.Header.Get("From")) })
	u := newUser(t, newClient(t, k, Config{Agent: []string{"a"}, From: "b"}))
	req := get(t, s.URL)
	req.Header.Set("User-Agent", "mine")
	if r := u.ask(req); string(r.Body) != "mineb" {
		t.Errorf("got %q", r.Body)
	}
	if len(req.Header) != 1 {
		t.Errorf("the request has %v now", req.Header)
	}
}

func TestUpload(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	u := newUser(t, newClient(t, k, Config{FollowRedirects: 1}))
	req, err := http.NewRequest("PUT", s.URL+"/moved", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if r := u.ask(req); string(r.Body) != "hello" {
		t.Errorf("got %q, %v", r.Body, r.Err)
	}
}

// faulty are the ways of a server to fail, and what becomes of them.
var faulty = []struct {
	name, answer string
	kind         error
	status       int
}{
	{"EOF", "", ErrNoAnswer, 400},
	{"EOFInHead", "HTTP/1.1 200 OK\r\nA: b\r\n", ErrNoAnswer, 400},
	{"ShortBody", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", ErrNoAnswer, 400},
	{"ShortChunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ErrNoAnswer, 400},
	{"NotHTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", ErrParse, 406},
	{"BadHeader", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", ErrParse, 406},
	{"BadStatus", "HTTP/1.1 2x0 OK\r\n\r\n", ErrParse, 406},
	{"BadChunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ErrParse, 406},
	{"TooLarge", "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", ErrTooLarge, 406},
	{"TooLargeUntilTheEnd", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 101), ErrTooLarge, 406},
	{"ForeignText", "HTTP/1.1 200 OK\r\nbad\x01\x1b[31m\r\n\r\n", ErrParse, 406},
}

func TestA117_A45_FaultyServers(t *testing.T) {
	for _, f := range faulty {
		t.Run(f.name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, k *kernel.Kernel) {
				u := newUser(t, newClient(t, k, Config{MaxSize: 100}))
				mustFail(t, u, u.ask(get(t, rawServer(t, &f.answer))), f.kind, f.status)
			})
		})
	}
}

func mustFail(t *testing.T, u *user, r Response, kind error, status int) {
	t.Helper()
	if !errors.Is(r.Err, kind) || r.HTTP.StatusCode != status {
		t.Fatalf("got %s: %v, want %d: %v", r.HTTP.Status, r.Err, status, kind)
	}
	text := r.HTTP.Header.Get("X-PCCH-Errmsg")
	if text == "" || !strings.Contains(r.Err.Error(), kind.Error()) || strings.ContainsAny(text, "\r\n\x1b") {
		t.Errorf("text %q, error %q", text, r.Err)
	}
	u.quiet()
}

// TestA117_MaxSizeIsAllowed: as many octets as MaxSize are not too many.
func TestA117_MaxSizeIsAllowed(t *testing.T) {
	k := running(t, kernel.Serial)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "1000")
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	})
	u := newUser(t, newClient(t, k, Config{MaxSize: 100}))
	if r := u.ask(get(t, s.URL)); r.Err != nil || len(r.Body) != 100 {
		t.Errorf("%v, %d octets", r.Err, len(r.Body))
	}
	head := get(t, s.URL)
	head.Method = http.MethodHead
	if r := u.ask(head); r.Err != nil || r.HTTP.ContentLength != 1000 {
		t.Errorf("HEAD: %v, %d octets", r.Err, r.HTTP.ContentLength)
	}
}

func TestA117_NoConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	k := running(t, kernel.Parallel)
	u := newUser(t, newClient(t, k, Config{}))
	mustFail(t, u, u.ask(get(t, "http://"+ln.Addr().String())), ErrConnect, 500)
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	mustFail(t, u, u.ask(get(t, strings.Replace(plain.URL, "http:", "https:", 1))), ErrConnect, 500)
}

func TestA117_BadScheme(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{FollowRedirects: 1}))
		for _, bad := range []string{"ftp://127.0.0.1/x", "http:///x", "//127.0.0.1/x", "http://:80/", "http://127.0.0.1:65536/", "http://127.0.0.1:0/"} {
			closed := make(chan struct{})
			req := get(t, bad)
			req.Body = closer{strings.NewReader("x"), closed}
			mustFail(t, u, u.ask(req), ErrScheme, 400)
			<-closed
		}
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "gopher://127.0.0.1/", http.StatusFound)
		})
		mustFail(t, u, u.ask(get(t, s.URL)), ErrScheme, 400)
	})
}

type closer struct {
	io.Reader
	closed chan struct{}
}

func (c closer) Close() error { close(c.closed); return nil }

func TestKindOf(t *testing.T) {
	late := &url.Error{Op: "Get", Err: timeoutError{}}
	for _, c := range []struct {
		err  error
		at   stage
		want error
	}{
		{late, connecting, ErrTimeout},
		{late, asking, ErrTimeout},
		{late, unknown, ErrTimeout},
		{&keepalive.Error{Function: "connect", Err: keepalive.ErrTimeout}, unknown, ErrTimeout},
		{&keepalive.Error{Function: "resolve", Err: &net.DNSError{Err: "no such host"}}, unknown, ErrConnect},
		{&keepalive.Error{Function: "sslify", Err: errors.New("bad certificate")}, unknown, ErrConnect},
		{&keepalive.Error{Function: "shutdown", Err: keepalive.ErrShutDown}, unknown, ErrShutDown},
		{fmt.Errorf("%w: no port in the proxy's URL", ErrArgument), unknown, ErrConnect},
		{&keepalive.Error{Function: "breaker", Err: &keepalive.CircuitError{Last: keepalive.ErrTimeout}}, unknown, ErrConnect},
		{&keepalive.Error{Function: "breaker", Err: &keepalive.CircuitError{Last: context.DeadlineExceeded}}, unknown, ErrConnect},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, unknown, ErrConnect},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, answering, ErrNoAnswer},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), answering, ErrNoAnswer},
		{errors.New("the body's reader failed"), asking, ErrNoAnswer},
		{errors.New("malformed"), answering, ErrParse},
		{fmt.Errorf("x: %w", ErrParse), unknown, ErrParse},
		{context.Canceled, asking, ErrCancelled},
		{context.DeadlineExceeded, connecting, ErrTimeout},
	} {
		if got := kindOf(c.err, c.at); got != c.want {
			t.Errorf("%v at stage %d: %v, want %v", c.err, c.at, got, c.want)
		}
	}
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "too late" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// TestFollowRedirects: none by default; then so many, and the next is the answer.
func TestFollowRedirects(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := len(r.URL.Path)
		if n < 5 {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}
	})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		for most, want := range map[int]string{0: "/", 2: "/xx", 10: "/xxxx"} {
			u := newUser(t, newClient(t, k, Config{FollowRedirects: most}))
			r := u.ask(get(t, s.URL+"/"))
			if r.Err != nil || r.HTTP.Request.URL.Path != want || r.HTTP.StatusCode == 200 != (most == 10) {
				t.Fatalf("%d: %v %v at %s", most, r.Err, r.HTTP.Status, r.HTTP.Request.URL)
			}
			chain := r.Previous()
			if len(chain) != len(want)-1 {
				t.Fatalf("%d: %d responses before it", most, len(chain))
			}
			for i, p := range chain {
				if p.StatusCode != http.StatusFound || len(p.Request.URL.Path) != i+1 {
					t.Errorf("%d: response %d is %s of %s", most, i, p.Status, p.Request.URL)
				}
			}
		}
	})
}

// TestRedirectLoop ends with the last allowed redirect as the answer.
func TestRedirectLoop(t *testing.T) {
	k := running(t, kernel.Parallel)
	asked := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { asked++; http.Redirect(w, r, "/", http.StatusFound) })
	u := newUser(t, newClient(t, k, Config{FollowRedirects: 20}))
	if r := u.ask(get(t, s.URL)); r.Err != nil || r.HTTP.StatusCode != 302 || len(r.Previous()) != 20 || asked != 21 {
		t.Errorf("%v, %s after %d, asked %d times", r.Err, r.HTTP.Status, len(r.Previous()), asked)
	}
}

func TestCookies(t *testing.T) {
	k := running(t, kernel.Serial)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		fmt.Fprint(w, r.Header.Get("Cookie"))
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u := newUser(t, newClient(t, k, Config{Jar: jar}))
	if r := u.ask(get(t, s.URL)); string(r.Body) != "" {
		t.Errorf("first: %q", r.Body)
	}
	if r := u.ask(get(t, s.URL)); string(r.Body) != "a=b" {
		t.Errorf("second: %q", r.Body)
	}
}

func TestTagAndProgress(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			w.Header().Set("Content-Length", "6")
		}
		for range 3 {
			_, _ = io.WriteString(w, "ab")
			w.(http.Flusher).Flush()
		}
	})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{Streaming: 2, ProgressEvery: 1}))
		for path, total := range map[string]int64{"/known": 6, "/unknown": -1} {
			req := get(t, s.URL+path)
			id := u.request(Request{HTTP: req, Tag: "tag", Progress: evHow})
			for range 3 {
				r := u.take()
				if r.Tag != "tag" || r.Last {
					t.Fatalf("%+v", r)
				}
				r.Take()
			}
			if r := u.take(); !r.Last || r.Err != nil || r.Tag != "tag" {
				t.Fatalf("%+v", r)
			}
			for i := range int64(3) {
				if p := <-u.progress; p != (Progress{id, "tag", req, 2 * (i + 1), total}) {
					t.Errorf("%+v", p)
				}
			}
		}
	})
}
