package httpd_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// gone waits for the end of the server's session, and finds its addresses shut.
func (r *rig) gone(s *httpd.Server) {
	r.t.Helper()
	r.until("the session ends", func() bool { _, ok := r.k.Resolve(s.Session()); return !ok })
	if nc, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil {
		nc.Close()
		r.t.Error("still listening")
	}
	if err := s.StartListen(); !errors.Is(err, httpd.ErrShutDown) {
		r.t.Errorf("StartListen: %v", err)
	}
}

// slow keeps a request until the test answers it.
func slow(held chan *httpd.Response) handler {
	return func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
		held <- a
		return nil
	}
}

func TestH87_H92_Shutdown(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Response, 1)
		s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true}), pages{"slow": slow(held), "foo": hello})
		idle := dial(t, s)
		idle.get("/foo")
		idle.want(200, "hello")
		busy := dial(t, s)
		busy.get("/slow")
		a := <-held
		if err := r.k.Post("web", "SHUTDOWN"); err != nil {
			t.Fatal(err)
		}
		if rest := busy.closed() + idle.closed(); rest != "" {
			t.Errorf("came %q", rest)
		}
		if entry := r.await("error request not finished at shutdown: connection "); entry[len(entry)-len(" 127.0.0.1"):] != " 127.0.0.1" {
			t.Errorf("%q", entry)
		}
		r.gone(s)
		if _, ok := r.k.Resolve("web"); ok {
			t.Error("the alias is left")
		}
		a.Done()
		r.await("error client is gone: DONE")
	})
}

func TestH88_H89_R17_Graceful(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, how := range []string{"event", "method"} {
			r := newRig(t, m)
			held := make(chan *httpd.Response, 1)
			s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true}), pages{"slow": slow(held), "foo": hello})
			idle := dial(t, s)
			idle.get("/foo")
			idle.want(200, "hello")
			busy := dial(t, s)
			busy.get("/slow")
			a := <-held
			end := make(chan error, 1)
			if how == "event" {
				if err := r.k.Post("web", "SHUTDOWN", "GRACEFUL"); err != nil {
					t.Fatal(err)
				}
				end <- nil
			} else {
				go func() { end <- s.Shutdown(context.Background()) }()
			}
			idle.end() // at once, while the other is busy
			if _, ok := r.k.Resolve(s.Session()); !ok {
				t.Error("ended before its request")
			}
			a.WriteString("bye")
			a.Done()
			if answer := busy.want(200, "bye"); !answer.Close {
				t.Error(`no "Connection: close"`)
			}
			busy.end()
			if err := <-end; err != nil {
				t.Error(err)
			}
			r.gone(s)
			if err := s.Shutdown(t.Context()); err != nil { // again
				t.Error(err)
			}
			if n := r.count("error"); n > 0 {
				t.Errorf("%q", r.entries())
			}
		}
	})
}

func TestH88_NothingToWaitFor(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{}, pages{"foo": hello})
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		r.gone(s)
	})
}

// A second shutdown forces the first, and so does the end of its context.
func TestH87_H88_Forced(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, how := range []string{"graceful", "hard", "context"} {
			r := newRig(t, m)
			held := make(chan *httpd.Response, 1)
			s := r.serve(httpd.Config{Alias: "web"}, pages{"slow": slow(held)})
			p := dial(t, s)
			p.get("/slow")
			<-held
			ctx, cancel := context.WithCancel(t.Context())
			end := make(chan error, 1)
			go func() { end <- s.Shutdown(ctx) }()
			r.until("it drains", func() bool { _, ok := r.k.Resolve("web"); return !ok })
			want := error(nil)
			switch how {
			case "context":
				cancel()
				want = context.Canceled
			default:
				if err := httpd.Shutdown.PostFrom(r.k, s.Session(), how == "graceful"); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-end; err != want {
				t.Errorf("%s: %v", how, err)
			}
			p.closed()
			r.gone(s)
			cancel()
		}
	})
}

func TestH89_Deadline(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	held := make(chan *httpd.Response, 1)
	s := r.serve(httpd.Config{ShutdownTimeout: 1}, pages{"slow": slow(held)})
	p := dial(t, s)
	p.get("/slow")
	<-held
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	p.closed()
	r.await("report: httpd: request not finished at shutdown")
}

// The kernel's own end ends the server.
func TestH87_KernelStops(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Response, 1)
		s := r.serve(httpd.Config{}, pages{"slow": slow(held)})
		p := dial(t, s)
		p.get("/slow")
		<-held
		r.stop()
		p.closed()
		r.gone(s)
	})
}

// Hijacked connections are nobody's but the server's to close at the end.
func TestH87_Hijacked(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	s := r.start(httpd.Config{KeepAlive: true, AccessLog: io.Discard, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		nc, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(nc, "mine")
	})})
	p := dial(t, s)
	p.get("/")
	if b, err := p.in.Peek(4); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
	if err := httpd.Shutdown.PostFrom(r.k, s.Session(), false); err != nil {
		t.Error(err)
	}
	p.closed()
	r.gone(s)
}

func TestH91_MaxConns(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{MaxConns: 2, KeepAlive: true}, pages{"foo": hello})
		one, two := dial(t, s), dial(t, s)
		for _, p := range []*peer{one, two} {
			p.get("/foo")
			p.want(200, "hello")
		}
		three := dial(t, s)
		three.get("/foo") // waits for a seat
		two.get("/foo")
		two.want(200, "hello")
		if n := s.Stats().Connections; n != 2 {
			t.Errorf("%d connections", n)
		}
		one.Close()
		three.want(200, "hello")
		four := dial(t, s)
		if err := s.Shutdown(t.Context()); err != nil { // also of who waits
			t.Error(err)
		}
		four.closed()
	})
}
