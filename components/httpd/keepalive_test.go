package httpd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func TestH8_H61_KeepAliveOff(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{}, pages{"foo": hello})
		p := dial(t, s)
		p.get("/foo")
		if a := p.want(200, "hello"); !a.Close {
			t.Error("the answer does not say that the connection closes")
		}
		p.end()
	})
}

// status answers with what the query says.
func status(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
	fmt.Sscan(q.URL.Query().Get("c"), &a.Code)
	if v := q.URL.Query().Get("connection"); v != "" {
		a.Header.Set("Connection", v)
	}
	a.Done()
	return nil
}

func TestH62_H63_WhoIsKept(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{KeepAlive: true}, pages{"foo": hello, "status": status})
		for _, test := range []struct {
			request string
			kept    bool
		}{
			{"GET /foo HTTP/1.1\r\nHost: x\r\n\r\n", true},
			{"GET /foo HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", true},
			{"GET /foo HTTP/1.1\r\nHost: x\r\nConnection: foo , CLOSE\r\n\r\n", false},
			{"GET /foo HTTP/1.1\r\nHost: x\r\nProxy-Connection: a, Close\r\n\r\n", false},
			{"GET /status?c=200&connection=close HTTP/1.1\r\nHost: x\r\n\r\n", false},
			{"GET /status?c=204 HTTP/1.1\r\nHost: x\r\n\r\n", true},
			{"GET /status?c=302 HTTP/1.1\r\nHost: x\r\n\r\n", true},
			{"GET /status?c=400 HTTP/1.1\r\nHost: x\r\n\r\n", false},
			{"GET /status?c=500 HTTP/1.1\r\nHost: x\r\n\r\n", false},
			{"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", false},
			{"GET /foo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
		} {
			p := dial(t, s)
			p.send(test.request)
			p.answer("GET")
			if !test.kept {
				p.end()
				continue
			}
			p.get("/foo")
			p.want(200, "hello")
		}
	})
}

func TestH65_H73_OneConnectionObject(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{KeepAlive: true}, pages{"foo": func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
			fmt.Fprintf(a, "%d %p", a.Connection.ID, a.Connection)
			a.Done()
			return nil
		}})
		p := dial(t, s)
		p.get("/foo")
		_, first := p.answer("GET")
		p.get("/foo")
		if _, second := p.answer("GET"); second != first {
			t.Errorf("%s, then %s", first, second)
		}
		if _, other := fetch(t, s, "/foo"); strings.Fields(other)[0] == strings.Fields(first)[0] {
			t.Errorf("two connections have ID %s", other)
		}
	})
}

func TestH66_H71_EndWhileIdle(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Connection, 1)
		s := r.serve(r.logs(httpd.Config{KeepAlive: true}), pages{"foo": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			held <- a.Connection
			return hello(c, q, a)
		}})
		p := dial(t, s)
		p.get("/foo")
		p.want(200, "hello")
		conn := <-held
		if conn.Dead() {
			t.Error("dead while it is idle")
		}
		p.Close()
		r.until("the connection is dead", conn.Dead)
		r.until("it is forgotten", func() bool { return s.Stats().Connections == 0 })
		p = dial(t, s)
		p.get("/foo")
		p.want(200, "hello")
		p.send("nonsense\r\n\r\n")
		if a, _ := p.answer("GET"); a.StatusCode != 400 || !a.Close {
			t.Errorf("%d %v", a.StatusCode, a.Close)
		}
		p.end()
	})
}

// Requests that come together are dispatched one after the other's answer, and
// answered in order.
func TestH67_Pipelining(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		running := 0
		r.spawn("answers",
			httpd.On("begin", func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
				if running++; running > 1 {
					t.Error("dispatched while another is not answered")
				}
				a.WriteString(q.URL.RawQuery)
				return c.Yield("end", a)
			}),
			session.On("end", func(c *kernel.Context, a *httpd.Response) error {
				running--
				a.Done()
				return nil
			}))
		route := []httpd.Route{{Dir: "^/", Session: "answers", Event: "begin"}}
		s := r.start(r.logs(httpd.Config{KeepAlive: true, Handlers: route}))
		p := dial(t, s)
		var all strings.Builder
		for n := range 20 {
			fmt.Fprintf(&all, "GET /?%d HTTP/1.1\r\nHost: x\r\n\r\n", n)
		}
		p.send(all.String())
		for n := range 20 {
			p.want(200, fmt.Sprint(n))
		}
		closing := r.start(httpd.Config{Handlers: route})
		p = dial(t, closing)
		p.send(all.String())
		p.want(200, "0") // and the connection ends, with the rest unanswered
		if rest := p.closed(); rest != "" {
			t.Errorf("then came %q", rest)
		}
		if n := r.count("error"); n > 0 {
			t.Errorf("%q", r.entries())
		}
	})
}
