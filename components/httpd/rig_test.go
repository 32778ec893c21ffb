package httpd_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// patience bounds every wait of these tests; nothing waits for it when all is well.
const patience = time.Minute

func eachMode(t *testing.T, f func(t *testing.T, m kernel.Mode)) {
	t.Helper()
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) { f(t, m) })
	}
}

// rig is a running kernel with a session "pages", and a log of what happens,
// reports included.
type rig struct {
	t    *testing.T
	k    *kernel.Kernel
	stop func()

	mu      sync.Mutex
	changed sync.Cond
	log     []string
}

// handler is that of a route.
type handler = func(*kernel.Context, *httpd.Request, *httpd.Response) error

// pages are the routes of a test: "^/name$" goes to the handler of that name.
type pages map[string]handler

func newRig(t *testing.T, m kernel.Mode, opts ...kerneltest.Option) *rig {
	t.Helper()
	r := &rig{t: t}
	r.changed.L = &r.mu
	reports := &kernel.Observer{Reported: func(component, what string, err error) {
		r.note("report: %s: %s: %v", component, what, err)
	}}
	opts = append([]kerneltest.Option{kerneltest.Config(kernel.Config{Observer: reports}), kerneltest.Mode(m), kerneltest.AllowReported(), kerneltest.AllowDropped()}, opts...)
	r.k = kerneltest.New(t, opts...)
	r.stop = kerneltest.Start(t, r.k)
	return r
}

func (r *rig) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf(format, args...))
	r.changed.Broadcast()
}

func (r *rig) entries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// await waits for an entry that begins with a text, and returns it.
func (r *rig) await(text string) string {
	r.t.Helper()
	return r.awaitN(text, 1)
}

// awaitN waits for the n-th.
func (r *rig) awaitN(text string, n int) string {
	r.t.Helper()
	late := time.AfterFunc(patience, r.changed.Broadcast)
	defer late.Stop()
	end := time.Now().Add(patience)
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		seen := 0
		for _, e := range r.log {
			if strings.HasPrefix(e, text) {
				if seen++; seen == n {
					return e
				}
			}
		}
		if !time.Now().Before(end) {
			r.t.Fatalf("in vain: %q, %d times; the log is\n%s", text, n, strings.Join(r.log, "\n"))
		}
		r.changed.Wait()
	}
}

// count says how many entries begin with a text.
func (r *rig) count(text string) (n int) {
	for _, e := range r.entries() {
		if strings.HasPrefix(e, text) {
			n++
		}
	}
	return n
}

// spawn makes a session that lives by its alias and a lease of the test.
func (r *rig) spawn(alias string, states ...session.State) {
	r.t.Helper()
	l, err := r.k.SpawnHeld(session.New(states...), kernel.Alias(alias))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(l.Release)
}

// serve starts a server of pages, on a free port unless cfg says otherwise, with
// the session "pages" behind it and "logs" for its handlers.
func (r *rig) serve(cfg httpd.Config, p pages) *httpd.Server {
	r.t.Helper()
	var states []session.State
	for name, h := range p {
		states = append(states, httpd.On(name, h))
		cfg.Handlers = append(cfg.Handlers, httpd.Route{Dir: "^/" + name + "$", Session: "pages", Event: name})
	}
	r.spawn("pages", states...)
	return r.start(cfg)
}

func (r *rig) start(cfg httpd.Config) *httpd.Server {
	r.t.Helper()
	if cfg.Hostname == "" {
		cfg.Hostname = "server.test"
	}
	s, err := httpd.New(r.k, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// logs spawns "logs", and notes what it gets.
func (r *rig) logs(cfg httpd.Config) httpd.Config {
	r.t.Helper()
	r.spawn("logs",
		session.Handle("log", func(c *kernel.Context) error {
			if c.Arg(0) == nil {
				r.note("log nil %v", c.Arg(1))
			} else {
				q := c.Arg(0).(*httpd.Request)
				r.note("log %s %s %q %v", q.Method, q.URL.Path, q.Content, c.Arg(1))
			}
			return nil
		}),
		session.Handle("log2", func(c *kernel.Context) error {
			q, a := c.Arg(0).(*httpd.Request), c.Arg(1).(*httpd.Response)
			r.note("log2 %s %d %d", q.URL.Path, a.Code, a.Sent())
			return nil
		}),
		session.Handle("error", func(c *kernel.Context) error { r.note("error %v %v", c.Arg(0), c.Arg(1)); return nil }),
		session.Handle("setup", func(c *kernel.Context) error { r.note("setup %v %v", c.Arg(0), c.Arg(1)); return nil }))
	cfg.LogHandler = httpd.Target{Session: "logs", Event: "log"}
	cfg.Log2Handler = httpd.Target{Session: "logs", Event: "log2"}
	cfg.ErrorHandler = httpd.Target{Session: "logs", Event: "error"}
	cfg.SetupHandler = httpd.Target{Session: "logs", Event: "setup"}
	return cfg
}

// hello answers at once.
func hello(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
	a.WriteString("hello")
	a.Done()
	return nil
}

// peer is a client that reads and writes by itself.
type peer struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func dial(t *testing.T, s *httpd.Server) *peer {
	t.Helper()
	at := s.Addrs()[0]
	nc, err := net.Dial(at.Network(), at.String())
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

func newPeer(t *testing.T, nc net.Conn) *peer {
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return &peer{nc, t, bufio.NewReader(nc)}
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Errorf("peer writes: %v", err)
	}
}

// get asks for a path with HTTP/1.1.
func (p *peer) get(path string) { p.t.Helper(); p.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n") }

// answer reads one, of a request of that method.
func (p *peer) answer(method string) (*http.Response, string) {
	p.t.Helper()
	a, b, err := p.read(method)
	if err != nil {
		p.t.Fatalf("peer reads an answer: %q, %v", b, err)
	}
	return a, b
}

func (p *peer) read(method string) (*http.Response, string, error) {
	a, err := http.ReadResponse(p.in, &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	return a, string(b), err
}

// want reads the answer to a GET.
func (p *peer) want(code int, body string) *http.Response {
	p.t.Helper()
	a, b := p.answer("GET")
	if a.StatusCode != code || b != body {
		p.t.Fatalf("the answer is %d %q; want %d %q", a.StatusCode, b, code, body)
	}
	return a
}

// end reads the end.
func (p *peer) end() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.in); err != nil || len(rest) > 0 {
		p.t.Errorf("peer reads %q, %v; want the end", rest, err)
	}
}

// closed waits for the end, of whatever kind.
func (p *peer) closed() string {
	p.t.Helper()
	rest, err := io.ReadAll(p.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Error("the other side does not hang up")
	}
	return string(rest)
}

// fetch makes one request on a connection of its own, and returns what came.
func fetch(t *testing.T, s *httpd.Server, path string) (*http.Response, string) {
	t.Helper()
	p := dial(t, s)
	p.get(path)
	return p.answer("GET")
}
