package httpclient

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

func eachMode(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) { f(t, running(t, m)) })
	}
}

// running is a kernel that runs until the test ends.
func running(t *testing.T, m kernel.Mode) *kernel.Kernel {
	t.Helper()
	k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{
		Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
	}})
	kerneltest.Start(t, k)
	return k
}

func newClient(t *testing.T, k *kernel.Kernel, cfg Config) *Client {
	t.Helper()
	c, err := New(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Shutdown)
	return c
}

// user is a session that asks when told to and passes on what it gets.
type user struct {
	t        *testing.T
	k        *kernel.Kernel
	client   *Client
	lease    *kernel.Lease
	got      chan Response
	progress chan Progress
}

const (
	evGot kernel.Event[Response]                    = "got"
	evHow kernel.Event[Progress]                    = "how"
	evRun kernel.Event[func(*kernel.Context) error] = "run"
)

func newUser(t *testing.T, c *Client, opts ...kernel.SpawnOption) *user {
	t.Helper()
	u := &user{t: t, k: c.k, client: c, got: make(chan Response, 1000), progress: make(chan Progress, 1000)}
	var err error
	u.lease, err = c.k.SpawnHeld(session.New(
		session.On(evGot, func(_ *kernel.Context, r Response) error { u.got <- r; return nil }),
		session.On(evHow, func(_ *kernel.Context, p Progress) error { u.progress <- p; return nil }),
		session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
	), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.lease.Release)
	return u
}

// do runs f in a handler of the user's session.
func (u *user) do(f func(*kernel.Context) error) {
	u.t.Helper()
	if _, err := u.k.Call(context.Background(), u.lease.Address(), evRun.Name(), f); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) request(req Request) (id RequestID) {
	u.t.Helper()
	u.do(func(c *kernel.Context) (err error) {
		req.Event = evGot
		id, err = u.client.Request(c, req)
		return err
	})
	return id
}

// ask asks and waits for the last response.
func (u *user) ask(req *http.Request) Response {
	u.t.Helper()
	id := u.request(Request{HTTP: req})
	r := u.take()
	if r.ID != id || !r.Last || r.Request != req {
		u.t.Fatalf("request %d of %p: %+v", id, req, r)
	}
	return r
}

// take waits for the next response.
func (u *user) take() Response {
	u.t.Helper()
	select {
	case r := <-u.got:
		return r
	case <-time.After(patience):
		u.t.Fatal("no response")
		return Response{}
	}
}

// quiet checks that no response follows: the client is asked something after
// whatever it may have posted, and the user after that.
func (u *user) quiet() {
	u.t.Helper()
	_, _ = u.client.Stats()
	flushed := make(chan struct{})
	if err := u.lease.Post(evRun.Name(), func(*kernel.Context) error { close(flushed); return nil }); err != nil {
		u.t.Fatal(err)
	}
	<-flushed
	if n := len(u.got); n > 0 {
		u.t.Fatalf("%d responses more than one: %+v", n, <-u.got)
	}
}

// patience is in a bubble no time at all, and still above every Timeout.
const patience = time.Minute

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func get(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// rawServer answers every request with these octets, and hangs up. It returns its
// URL. Nil waits for the client to hang up.
func rawServer(t *testing.T, answer *string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				if answer == nil {
					_, _ = io.Copy(io.Discard, conn)
					return
				}
				_, _ = io.WriteString(conn, *answer)
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// tripper is a transport in the form of a function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answerWith is a 200 with a body.
func answerWith(req *http.Request, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Header: http.Header{}, Request: req,
		ContentLength: -1, Body: io.NopCloser(body),
	}
}
