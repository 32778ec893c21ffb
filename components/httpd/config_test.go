package httpd_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

func TestH1_H6_H10_H19_H83_Misconfigured(t *testing.T) {
	ok := []httpd.Route{{Dir: "^/", Session: "a", Event: "b"}}
	half := httpd.Target{Session: "x"}
	for _, test := range []struct {
		want string
		cfg  httpd.Config
	}{
		{"Config.Handlers is empty", httpd.Config{}},
		{"Config.Handlers[1].Dir is empty", httpd.Config{Handlers: append(ok[:1:1], httpd.Route{Session: "a", Event: "b"})}},
		{"Config.Handlers[0].Session is empty", httpd.Config{Handlers: []httpd.Route{{Dir: "x", Event: "b"}}}},
		{"Config.Handlers[0].Event is empty", httpd.Config{Handlers: []httpd.Route{{Dir: "x", Session: "b"}}}},
		{`Config.Handlers[0].Dir is "("`, httpd.Config{Handlers: []httpd.Route{{Dir: "(", Session: "a", Event: "b"}}}},
		{"Config.TLS has no certificate", httpd.Config{Handlers: ok, TLS: &tls.Config{}}},
		{"Config.LogHandler.Event is empty", httpd.Config{Handlers: ok, LogHandler: half}},
		{"Config.Log2Handler.Event is empty", httpd.Config{Handlers: ok, Log2Handler: half}},
		{"Config.ErrorHandler.Event is empty", httpd.Config{Handlers: ok, ErrorHandler: half}},
		{"Config.SetupHandler.Session is empty", httpd.Config{Handlers: ok, SetupHandler: httpd.Target{Event: "x"}}},
		{"Config.Listeners has a nil", httpd.Config{Handlers: ok, Listeners: []net.Listener{nil}}},
		{"Config.MaxBody is -2", httpd.Config{Handlers: ok, MaxBody: -2}},
		{"Config.MaxConns is -2", httpd.Config{Handlers: ok, MaxConns: -2}},
		{"Config.MaxHeader is -1", httpd.Config{Handlers: ok, MaxHeader: -1}},
		{"Config.AnswerTimeout is -2ns", httpd.Config{Handlers: ok, AnswerTimeout: -2}},
		{"Config.AccessLogFormat is 9", httpd.Config{Handlers: ok, AccessLogFormat: 9}},
		{`Config.Listen[0] is "tcp://nowhere"`, httpd.Config{Handlers: ok, Listen: []string{"tcp://nowhere"}}},
	} {
		k := kerneltest.New(t, kerneltest.Mode(kernel.Serial))
		_, err := httpd.New(k, test.cfg)
		if !errors.Is(err, httpd.ErrConfig) || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("got %v; want %s", err, test.want)
		}
		if n := len(k.Sessions()); n != 0 {
			t.Errorf("%s: %d sessions", test.want, n)
		}
	}
}

func TestH1_SimulatedIsRefused(t *testing.T) {
	for _, in := range []httpd.Spawner{nil, (*kernel.Kernel)(nil), (*kernel.Context)(nil)} {
		if _, err := httpd.New(in, httpd.Config{Handler: http.NotFoundHandler()}); !errors.Is(err, httpd.ErrConfig) {
			t.Errorf("%T: %v", in, err)
		}
	}
	if _, err := httpd.New(kerneltest.New(t), httpd.Config{Handler: http.NotFoundHandler()}); !errors.Is(err, httpd.ErrConfig) {
		t.Errorf("got %v", err)
	}
}

func TestH2_H14_WithoutAlias(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{}, pages{"foo": hello})
		if _, body := fetch(t, s, "/foo"); body != "hello" { // nothing but itself holds it
			t.Errorf("got %q", body)
		}
		if err := httpd.Shutdown.PostFrom(r.k, s.Session(), false); err != nil {
			t.Error(err)
		}
		r.until("the session ends", func() bool { _, ok := r.k.Resolve(s.Session()); return !ok })
	})
}

func TestH5_DefaultHostname(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		r.spawn("pages", httpd.On("foo", echo))
		s, err := httpd.New(r.k, httpd.Config{Handlers: []httpd.Route{{Dir: "^/foo", Session: "pages", Event: "foo"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(s.Addrs()[0].String())
		if _, body := fetch(t, s, "/foo"); body != "GET http://"+net.JoinHostPort(host, port)+`/foo|""|<nil>` {
			t.Errorf("got %q", body)
		}
	})
}

func TestH2_AliasTaken(t *testing.T) {
	r := newRig(t, kernel.Serial)
	r.spawn("web")
	ln := listenLocal(t)
	at := ln.Addr().String()
	ln.Close()
	_, err := httpd.New(r.k, httpd.Config{Alias: "web", Listen: []string{"tcp://" + at}, Handler: http.NotFoundHandler()})
	if !errors.Is(err, kernel.ErrAliasTaken) {
		t.Errorf("got %v", err)
	}
	if nc, err := net.Dial("tcp", at); err == nil {
		nc.Close()
		t.Error("the address was left open")
	}
}

func TestH3_H4_H85_H86_Addresses(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		path := filepath.Join(t.TempDir(), "x.sock")
		inherited := listenLocal(t)
		s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true, Listeners: []net.Listener{inherited},
			Listen: []string{"tcp://:0", "unix://" + path + "?mode=0660"}}), pages{"foo": hello})
		all := s.Addrs()
		if len(all) != 3 || !strings.HasPrefix(all[0].String(), "127.0.0.1:") || all[1].String() != path || all[2] != inherited.Addr() {
			t.Fatalf("addresses %v", all)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
			t.Errorf("socket %v, %v", info.Mode(), err)
		}
		try := func(want string) {
			t.Helper()
			for _, at := range all[:2] {
				nc, err := net.Dial(at.Network(), at.String())
				if want == "" {
					if err == nil {
						t.Errorf("%v is open", at)
						nc.Close()
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				p := newPeer(t, nc)
				p.get("/foo")
				p.want(200, want)
			}
		}
		try("hello")
		held := dial(t, s) // goes on (H85)
		held.get("/foo")
		held.want(200, "hello")
		for range 2 {
			if _, err := r.k.Call(t.Context(), "web", "STOPLISTEN"); err != nil {
				t.Fatal(err)
			}
			try("")
			if _, ok := r.k.Resolve("web"); !ok { // H86
				t.Fatal("the server ended")
			}
			if _, err := r.k.Call(t.Context(), "web", "STARTLISTEN"); err != nil {
				t.Fatal(err)
			}
			try("hello") // at the same port
		}
		held.get("/foo")
		held.want(200, "hello")
		r.await("error cannot listen: given up: one of Config.Listeners")
	})
}

func TestH16_H17_SetupHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{Alias: "web"}), pages{"foo": hello})
		at := s.Addrs()[0].(*net.TCPAddr)
		want := fmt.Sprintf("setup %d %v", at.Port, at)
		r.await(want)
		s.StopListen()
		squatter, err := net.Listen("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.StartListen(); err != nil { // fails, and is tried again
			t.Fatal(err)
		}
		squatter.Close()
		r.awaitN(want, 2)
		if n := r.count("setup"); n != 2 {
			t.Errorf("%q", r.entries())
		}
		if _, body := fetch(t, s, "/foo"); body != "hello" {
			t.Errorf("got %q", body)
		}
	})
}

func TestH18_H13_GivesUp(t *testing.T) {
	t.Parallel() // it waits most of the time
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello})
		s.StopListen()
		squatter, err := net.Listen("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := s.StartListen(); err != nil {
			t.Fatal(err)
		}
		r.await("error cannot listen: given up: httpd: prefork: cannot listen on tcp://127.0.0.1:0")
		if d := time.Since(began); d < 1500*time.Millisecond { // 0.1 + 0.2 + 0.4 + 0.8
			t.Errorf("given up after %v", d)
		}
		squatter.Close()
		if err := s.StartListen(); err != nil { // the server lives
			t.Fatal(err)
		}
		if _, body := fetch(t, s, "/foo"); body != "hello" {
			t.Errorf("got %q", body)
		}
		if n := r.count("error"); n != 1 {
			t.Errorf("%q", r.entries())
		}
	})
}

// A listener that cannot be accepted from any more is opened anew (H18).
func TestH18_AcceptFails(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	broken := &brokenListener{Listener: listenLocal(t)}
	at := broken.Addr().String()
	n := &network{Network: kernel.New(kernel.Config{}).Network(), first: broken}
	k := kerneltest.New(t, kerneltest.Config(kernel.Config{Network: n}), kerneltest.Mode(kernel.Parallel))
	kerneltest.Start(t, k)
	s, err := httpd.New(k, httpd.Config{Listen: []string{"tcp://" + at}, Handler: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	r.until("the address is open again", func() bool {
		if !broken.closed.Load() { // before that, the first one would take it
			return false
		}
		nc, err := net.Dial("tcp", at)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	if a, _ := fetch(t, s, "/"); a.StatusCode != 404 {
		t.Errorf("got %d", a.StatusCode)
	}
}

func TestH4_StaleSocket(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	ln, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
	s := r.start(httpd.Config{Listen: []string{"unix://" + stale}, Handler: http.NotFoundHandler()})
	if a, _ := fetch(t, s, "/"); a.StatusCode != 404 {
		t.Errorf("got %d", a.StatusCode)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{stale, file} { // served, and no socket
		if _, err := httpd.New(r.k, httpd.Config{Listen: []string{"unix://" + path}, Handler: http.NotFoundHandler()}); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestH15_ServesWhenTheKernelRuns(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := kerneltest.New(t, kerneltest.Mode(m))
		s, err := httpd.New(k, httpd.Config{Handler: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		p := dial(t, s) // waits
		p.get("/")
		kerneltest.Start(t, k)
		p.want(404, "404 page not found\n")
	})
}

func TestH26_Handlers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		var got [][]httpd.Route
		done := make(chan struct{}, 2)
		r.spawn("asks", session.On("routes", func(_ *kernel.Context, list []httpd.Route) error {
			got = append(got, list)
			done <- struct{}{}
			return nil
		}))
		s := r.serve(httpd.Config{Alias: "web"}, pages{"foo": hello})
		for _, args := range [][]any{{"asks", "routes"}, {httpd.Target{Session: "asks", Event: "routes"}}} {
			if err := r.k.Post("web", "GETHANDLERS", args...); err != nil {
				t.Fatal(err)
			}
			<-done
		}
		if err := r.k.Post("web", "GETHANDLERS", "asks"); err != nil { // nothing
			t.Fatal(err)
		}
		for _, list := range got {
			if len(list) != 1 || list[0].Dir != "^/foo$" {
				t.Errorf("got %v", list)
			}
			list[0].Dir = "changed"
		}
		if s.Handlers()[0].Dir != "^/foo$" {
			t.Error("what GETHANDLERS gave was no copy")
		}
		_, err := r.k.Call(t.Context(), "web", "SETHANDLERS", []httpd.Route{{Dir: "(", Session: "pages", Event: "foo"}})
		if !errors.Is(err, httpd.ErrConfig) || !strings.Contains(fmt.Sprint(err), "Route[0].Dir") { // H19
			t.Errorf("got %v", err)
		}
		if _, body := fetch(t, s, "/foo"); body != "hello" {
			t.Errorf("got %q", body)
		}
		if err := httpd.SetHandlers.PostFrom(r.k, "web", []httpd.Route{{Dir: "^/bar$", Session: "pages", Event: "foo"}}); err != nil {
			t.Fatal(err)
		}
		r.until("the routes are changed", func() bool { return s.Handlers()[0].Dir == "^/bar$" })
		if _, body := fetch(t, s, "/bar"); body != "hello" {
			t.Errorf("got %q", body)
		}
		if a, _ := fetch(t, s, "/foo"); a.StatusCode != 404 {
			t.Errorf("got %d", a.StatusCode)
		}
	})
}
