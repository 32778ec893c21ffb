package httpd_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

func TestH23_HandlerArguments(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{}, pages{"foo": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			if q.Connection != a.Connection || q.Connection == nil {
				t.Error("request and response have different connections")
			}
			fmt.Fprintf(a, "%v %s", c.Arg(2), q.URL.Query().Get("q"))
			a.Done()
			return nil
		}})
		if _, got := fetch(t, s, "/foo?q=1"); got != "^/foo$ 1" {
			t.Errorf("got %q", got)
		}
	})
}

func TestH24_H82_NoMatchIs404(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello})
		a, body := fetch(t, s, "/bar")
		if a.StatusCode != 404 || body != "404 Not Found\n" || a.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("got %d %q %v", a.StatusCode, body, a.Header)
		}
		r.await("log2 /bar 404 14")
	})
}

func TestH25_NoSuchSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.logs(httpd.Config{Handlers: []httpd.Route{
			{Dir: "^/nobody", Session: "nobody", Event: "x"}, {Dir: "^/noevent", Session: "pages", Event: "x"}}})
		s := r.serve(cfg, pages{"foo": hello})
		for _, path := range []string{"/nobody", "/noevent"} {
			if a, body := fetch(t, s, path); a.StatusCode != 500 || body != "500 Internal Server Error\n" {
				t.Errorf("%s: got %d %q", path, a.StatusCode, body)
			}
			r.await(`error no handler for a route: GET ` + path)
		}
		if _, body := fetch(t, s, "/foo"); body != "hello" { // the server is well
			t.Errorf("got %q", body)
		}
	})
}

func TestH37_NoResponse(t *testing.T) {
	r := newRig(t, kernel.Serial)
	s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello})
	for _, bad := range []any{nil, 5, (*httpd.Response)(nil), &httpd.Response{}} {
		for _, ev := range []string{"DONE", "CLOSE", "STREAM"} {
			if _, err := r.k.Call(t.Context(), s.Session(), ev, bad); err != nil {
				t.Errorf("%s %v: %v", ev, bad, err)
			}
			r.await(`error bad argument: event "` + ev)
		}
	}
	if _, body := fetch(t, s, "/foo"); body != "hello" {
		t.Errorf("got %q", body)
	}
}

func TestH7_H38_H39_H42_Headers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		defaults := http.Header{"X-Default": {"1"}, "X-Over": {"1"}, "Server": {"usher"}}
		s := r.serve(httpd.Config{Headers: defaults}, pages{
			"plain": hello,
			"own": func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
				a.Header.Set("Content-Type", "text/html")
				a.Header.Set("Date", "yesterday")
				a.Header["X-Over"][0] = "2"
				a.Content = []byte(strings.Repeat("x", 5000))
				a.Done()
				return nil
			}})
		p := dial(t, s)
		p.get("/plain")
		if line, _ := p.in.ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" {
			t.Errorf("status line %q", line)
		}
		a, _ := fetch(t, s, "/plain")
		for name, want := range map[string]string{"Content-Type": "text/plain", "X-Default": "1", "X-Over": "1", "Content-Length": "5"} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if _, err := http.ParseTime(a.Header.Get("Date")); err != nil {
			t.Error(err)
		}
		a, body := fetch(t, s, "/own")
		for name, want := range map[string]string{"Content-Type": "text/html", "X-Default": "1", "X-Over": "2", "Content-Length": "5000", "Date": "yesterday"} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if len(body) != 5000 || defaults["X-Over"][0] != "1" {
			t.Errorf("%d bytes, and the defaults are %v", len(body), defaults)
		}
		a, _ = fetch(t, s, "/plain")
		if got := a.Header.Get("X-Over"); got != "1" {
			t.Errorf("one handler changed another's default: %q", got)
		}
	})
}

func TestH40_H41_Head(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{KeepAlive: true}, pages{"foo": hello})
		p := dial(t, s)
		p.send("HEAD /foo HTTP/1.1\r\nHost: x\r\n\r\n")
		a, body := p.answer("HEAD")
		if a.ContentLength != 5 || body != "" || a.Proto != "HTTP/1.1" {
			t.Errorf("%s, length %d, body %q", a.Proto, a.ContentLength, body)
		}
		p.get("/foo") // in step: no body was sent
		p.want(200, "hello")
	})
}

func TestH43_H46_DoneLaterByEvent(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, how := range []string{"post", "call", "other session", "goroutine"} {
			t.Run(how, func(t *testing.T) {
				r := newRig(t, m, kerneltest.AllowGoroutines())
				r.spawn("other", session.On("finish", func(c *kernel.Context, a *httpd.Response) error {
					a.WriteString("hello")
					return httpd.Done.Post(c, "web", a)
				}))
				s := r.serve(httpd.Config{Alias: "web"}, pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
					switch how {
					case "other session":
						return c.Post("other", "finish", a)
					case "goroutine":
						go func() { a.WriteString("hello"); a.Done() }()
						return nil
					}
					a.WriteString("hello")
					if how == "post" {
						return httpd.Done.Post(c, "web", a)
					}
					_, err := httpd.Done.Call(c, "web", a)
					return err
				}})
				p := dial(t, s)
				p.get("/foo")
				p.want(200, "hello")
				p.end()
			})
		}
	})
}

func TestH44_R13_ClientLeft(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Response, 1)
		s := r.serve(r.logs(httpd.Config{Alias: "web"}), pages{"foo": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			held <- a
			return nil
		}, "bar": hello})
		p := dial(t, s)
		p.get("/foo")
		a := <-held
		p.Close()
		r.awaitGone(s, a)
		if _, err := r.k.Call(t.Context(), "web", "DONE", a); err != nil {
			t.Error(err)
		}
		r.await("error client is gone: DONE for connection")
		a.Close() // H49: nothing
		if _, body := fetch(t, s, "/bar"); body != "hello" {
			t.Errorf("got %q", body)
		}
		if n := r.count("error"); n != 1 {
			t.Errorf("%d errors: %q", n, r.entries())
		}
	})
}

// collect collects garbage until the log has an entry. Whoever was called last may
// remember its arguments for a while.
func (r *rig) collect(s *httpd.Server, path, entry string) {
	r.t.Helper()
	r.until(entry, func() bool {
		fetch(r.t, s, path)
		runtime.GC()
		return r.count(entry) > 0
	})
}

// awaitGone waits until the server has seen the client leave, and has done with its only
// request. Before the server knows that the handler has returned, a client that has ended
// its side may wait for an answer.
func (r *rig) awaitGone(s *httpd.Server, a *httpd.Response) {
	r.t.Helper()
	r.until("the client is seen to have gone", func() bool { return a.Connection.Dead() && s.Stats().Requests == 0 })
}

// until looks again and again.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			r.t.Fatalf("in vain: %s; the log is\n%s", what, strings.Join(r.entries(), "\n"))
		}
	}
}

func TestH45_SecondDone(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{KeepAlive: true}), pages{"twice": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			_ = hello(c, q, a)
			a.Done()
			return nil
		}, "foo": hello})
		p := dial(t, s)
		p.get("/twice")
		p.want(200, "hello")
		r.await("error already answered: DONE for connection")
		p.get("/foo")
		p.want(200, "hello")
	})
}

func TestH48_H49_Close(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Response, 1)
		s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true}), pages{
			"close": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
				a.WriteString("never sent")
				return httpd.Close.Post(c, "web", a)
			},
			"keep": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
				held <- a
				return hello(c, q, a)
			}})
		p := dial(t, s)
		p.get("/close")
		if rest := p.closed(); rest != "" {
			t.Errorf("after CLOSE came %q", rest)
		}
		p = dial(t, s)
		p.get("/keep")
		p.want(200, "hello")
		a := <-held
		a.Close() // of a connection that is idle, or about to be
		p.end()
		a.Close() // and of one that is closed: nothing
		if n := r.count("error"); n != 0 {
			t.Errorf("%q", r.entries())
		}
		r.await("log2 /keep")
		if n := r.count("log2"); n != 1 {
			t.Errorf("CLOSE was logged as an answer: %q", r.entries())
		}
	})
}

// Who closes by a Response that was sent, while the connection serves the next request,
// lets that one be answered, and its client be told that it is the last.
func TestH49_CloseDuringTheNextRequest(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		var sent *httpd.Response
		s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true}), pages{
			"one": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
				sent = a
				return hello(c, q, a)
			},
			"two": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
				sent.Close()
				return hello(c, q, a)
			}})
		p := dial(t, s)
		p.get("/one")
		if p.want(200, "hello").Close {
			t.Error("the first answer says that it is the last")
		}
		p.get("/two")
		if !p.want(200, "hello").Close {
			t.Error("the last answer does not say so")
		}
		p.end()
		if n := r.count("error"); n != 0 {
			t.Errorf("%q", r.entries())
		}
	})
}

func TestH93_DroppedResponse(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"drop": func(*kernel.Context, *httpd.Request, *httpd.Response) error { return nil }, "foo": hello})
		p := dial(t, s)
		p.get("/drop")
		r.collect(s, "/foo", "error response dropped")
		p.want(500, "500 Internal Server Error\n")
		r.await("log2 /drop 500 26")
	})
}

func TestH25_FailingHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{
			"fail": func(*kernel.Context, *httpd.Request, *httpd.Response) error { return errors.New("oops") },
			"late": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
				_ = hello(c, q, a)
				return errors.New("too late")
			}})
		p := dial(t, s)
		p.get("/fail")
		p.want(500, "500 Internal Server Error\n")
		r.await("error handler failed: GET /fail: oops 127.0.0.1")
		p = dial(t, s)
		p.get("/late")
		p.want(200, "hello")
		r.await("error handler failed: GET /late: too late 127.0.0.1")
	})
}

// A panic is DIE, as anywhere (G7), and the client does not wait for it.
func TestH25_PanickingHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello})
		r.spawn("weak",
			session.Handle("_start", func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil }),
			session.Handle("die", func(c *kernel.Context) error { c.SigHandled(); r.note("died"); return nil }),
			httpd.On("panic", func(*kernel.Context, *httpd.Request, *httpd.Response) error { panic("oops") }))
		if err := s.SetHandlers(append(s.Handlers(), httpd.Route{Dir: "^/panic", Session: "weak", Event: "panic"})); err != nil {
			t.Fatal(err)
		}
		if a, _ := fetch(t, s, "/panic"); a.StatusCode != 500 {
			t.Errorf("got %d", a.StatusCode)
		}
		r.await("died")
		r.await("error handler failed: GET /panic: session")
		if _, body := fetch(t, s, "/foo"); body != "hello" {
			t.Errorf("got %q", body)
		}
	})
}

func TestH42_ImpossibleCode(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	s := r.serve(r.logs(httpd.Config{}), pages{"code": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
		fmt.Sscan(q.URL.Query().Get("c"), &a.Code)
		a.Done()
		return nil
	}})
	for code, want := range map[int]int{-1: 500, 0: 500, 100: 500, 1000: 500, 299: 299, 204: 204, 999: 999} {
		if a, _ := fetch(t, s, fmt.Sprintf("/code?c=%d", code)); a.StatusCode != want {
			t.Errorf("%d gives %d; want %d", code, a.StatusCode, want)
		}
	}
	r.awaitN("error response code outside 200 to 999", 4)
	if n := r.count("error"); n != 4 {
		t.Errorf("%q", r.entries())
	}
}

// A handler may be tried with a Response of the test's own.
func TestResponseThatNoServerHasMade(t *testing.T) {
	a := &httpd.Response{Code: 200, Header: http.Header{}, Connection: &httpd.Connection{}}
	a.Stream("pages", "more", false)
	a.WriteString("hello")
	a.Send()
	a.Done()
	a.Close()
	if string(a.Content) != "hello" || a.Sent() != 0 || a.Streaming() {
		t.Errorf("%+v", a)
	}
	if c := a.Connection; c.Dead() || c.TLS() != nil || c.Cipher() != "" {
		t.Errorf("%+v", c)
	}
	a.Connection.OnClose(nil, "closed")
}
