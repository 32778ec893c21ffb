package httpd_test

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// describe answers with the connection's fields.
func describe(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
	c := a.Connection
	fmt.Fprintf(a, "%s %d %v|%s %d %v|%v|%v %q", c.RemoteIP, c.RemotePort, c.RemoteAddr, c.LocalIP, c.LocalPort, c.LocalAddr, c.Dead(), c.TLS() != nil, c.Cipher())
	a.Done()
	return nil
}

func TestH68_H69_H70_Fields(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		path := filepath.Join(t.TempDir(), "x.sock")
		s := r.serve(r.logs(httpd.Config{Listen: []string{"tcp://:0", "unix://" + path}}), pages{"foo": describe})
		p := dial(t, s)
		p.get("/foo")
		here, there := p.LocalAddr().(*net.TCPAddr), p.RemoteAddr().(*net.TCPAddr)
		p.want(200, fmt.Sprintf(`127.0.0.1 %d %v|127.0.0.1 %d %v|false|false ""`, here.Port, here, there.Port, there))
		nc, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		p = newPeer(t, nc)
		p.get("/foo")
		p.want(200, fmt.Sprintf(`local 0 @|%s 0 %s|false|false ""`, path, path))
		r.await(`log GET /foo "" local`)
	})
}

func TestH75_PortCheck(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello})
		for range 10 {
			dial(t, s).Close()
		}
		r.until("all were seen", func() bool { st := s.Stats(); return st.Accepted == 10 && st.Connections == 0 })
		if _, body := fetch(t, s, "/foo"); body != "hello" {
			t.Errorf("got %q", body)
		}
		r.await("log2 /foo")
		if n := r.count("error") + r.count("log nil"); n > 0 {
			t.Errorf("%q", r.entries())
		}
	})
}

// closers is a session that wants to hear of connections' ends.
func (r *rig) closers(alias string) {
	r.spawn(alias,
		session.On("watch", func(c *kernel.Context, conn *httpd.Connection) error {
			conn.OnClose(c, "first", 1)
			conn.OnClose(c, "closed", alias, 2) // takes its place
			return nil
		}),
		session.On("unwatch", func(c *kernel.Context, conn *httpd.Connection) error {
			conn.OnClose(c, "")
			return nil
		}),
		session.On("watch by event", func(c *kernel.Context, conn *httpd.Connection) error {
			return c.Post("web", "SETCLOSEHANDLER", conn.ID, "closed", alias, "event")
		}),
		session.On("watch typed", func(c *kernel.Context, conn *httpd.Connection) error {
			return httpd.SetCloseHandler.Post(c, "web", httpd.CloseHandler{Connection: conn.ID, Event: "closed", Args: []any{alias, "typed"}})
		}),
		session.Handle("first", func(*kernel.Context) error { r.note("first"); return nil }),
		session.Handle("closed", func(c *kernel.Context) error { r.note("closed %v", c.Args()); return nil }))
}

func TestH65_H76_H79_H80_R16_CloseHandlers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		watch := map[kernel.Address]string{"one": "watch", "two": "watch", "three": "watch by event", "four": "watch typed"}
		for alias := range watch {
			r.closers(string(alias))
		}
		held := make(chan *httpd.Response, 1)
		s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true}), pages{"foo": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			for to, ev := range watch {
				if _, err := c.Call(to, ev, a.Connection); err != nil {
					return err
				}
			}
			_, err := c.Call("two", "unwatch", a.Connection)
			held <- a
			return err
		}, "bar": hello})
		p := dial(t, s)
		p.get("/foo")
		a := <-held
		// What was posted to the server has been handled when this has, too.
		if err := r.k.Post("web", "SETCLOSEHANDLER"); err != nil {
			t.Fatal(err)
		}
		r.await(`error bad argument: event "SETCLOSEHANDLER"`)
		a.WriteString("x")
		a.Done()
		p.want(200, "x")
		p.get("/bar") // the handlers stay (H65)
		p.want(200, "hello")
		if n := r.count("closed") + r.count("first"); n != 0 {
			t.Errorf("told before the end: %q", r.entries())
		}
		a.Close()
		p.end()
		r.await("closed [one 2]")
		r.await("closed [three event]")
		r.await("closed [four typed]")
		// For what is closed already: at once.
		if _, err := r.k.Call(t.Context(), "two", "watch", a.Connection); err != nil {
			t.Fatal(err)
		}
		r.await("closed [two 2]")
		r.stop()
		if n := r.count("closed") + r.count("first"); n != 4+1 { // two asked twice at the end
			t.Errorf("%q", r.entries())
		}
	})
}

func TestH77_UnknownConnection(t *testing.T) {
	r := newRig(t, kernel.Serial)
	s := r.serve(r.logs(httpd.Config{Alias: "web"}), pages{"foo": hello})
	for _, args := range [][]any{
		{httpd.ConnectionID(1 << 40), "x"}, {httpd.CloseHandler{Connection: 1 << 40, Event: "x"}}, {nil}, {(*httpd.Connection)(nil), "x"}, {5, 5}, {},
	} {
		if _, err := r.k.Call(t.Context(), "web", "SETCLOSEHANDLER", args...); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	r.awaitN(`error bad argument: event "SETCLOSEHANDLER"`, 6)
	if _, body := fetch(t, s, "/foo"); body != "hello" {
		t.Errorf("got %q", body)
	}
}

// A session with nothing else to live for waits for the close (H78).
func TestH78_Held(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Response, 1)
		var mortal kernel.Address
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) (err error) {
			mortal, err = c.Kernel().Spawn(session.New(
				session.Handle("_start", func(c *kernel.Context) error { a.Connection.OnClose(c, "closed"); return nil }),
				session.Handle("closed", func(*kernel.Context) error { r.note("closed"); return nil }),
				session.Handle("_stop", func(*kernel.Context) error { r.note("stopped"); return nil })))
			held <- a
			return err
		}, "bar": hello})
		p := dial(t, s)
		p.get("/foo")
		a := <-held
		fetch(t, s, "/bar") // the kernel has been round
		if _, alive := r.k.Resolve(mortal); !alive || r.count("stopped") > 0 {
			t.Error("the session is gone")
		}
		a.Done()
		p.want(200, "")
		r.await("closed")
		r.await("stopped")
	})
}
