//go:build unix

package httpd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// The workers of these tests are the test binary once more: each calls the function
// of its pool, which calls New with the same configuration as the test did.
func TestMain(m *testing.M) {
	run := map[string]func(){}
	for name, f := range farms {
		run[name] = func() {
			time.AfterFunc(2*patience, func() { os.Exit(99) })
			mode := kernel.Parallel
			if os.Getenv(modeVariable) == kernel.Serial.String() {
				mode = kernel.Serial
			}
			_, err := httpd.New(kernel.New(kernel.Config{Mode: mode}), f(name))
			fmt.Fprintln(os.Stderr, "New has returned in a worker:", err)
			os.Exit(97)
		}
	}
	prefork.Main(run)
	os.Exit(m.Run())
}

const (
	modeVariable = "USHER_TEST_MODE"
	dirVariable  = "USHER_TEST_DIR"
	forkVariable = "USHER_TEST_FORK"
)

// farms are the servers of these tests, by the name of their pool.
var farms = map[string]func(name string) httpd.Config{}

// plainFarm has two workers for good, unless change says otherwise.
func plainFarm(change func(*httpd.Config)) func(string) httpd.Config {
	return func(name string) httpd.Config {
		cfg := httpd.Config{
			Alias: "web", KeepAlive: true, Hostname: "server.test",
			Handlers: []httpd.Route{{Dir: "^/", Session: "pages", Event: "page"}},
			Prefork: &prefork.Config{
				Name: name, StartServers: 2, MinSpareServers: 1, MaxSpareServers: prefork.Unlimited, MaxClients: 2,
				CheckSpares: 20 * time.Millisecond, Server: spawnPages,
			},
		}
		if change != nil {
			change(&cfg)
		}
		return cfg
	}
}

// started is what a fork handler leaves.
var started string

// spawnPages makes the session that answers, in the worker.
func spawnPages(c *kernel.Context, w *prefork.Worker) error {
	_, err := c.Spawn(session.New(
		httpd.On("page", func(c *kernel.Context, req *httpd.Request, resp *httpd.Response) error {
			return servePage(c, w, req, resp)
		}),
		httpd.On("other", func(_ *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
			resp.WriteString("other")
			resp.Done()
			return nil
		}),
		session.Handle("forked", func(*kernel.Context) error { started += "forked"; return nil }),
		session.Handle("forked_later", func(*kernel.Context) error { started += "later"; return nil }),
		session.Handle("log2", func(c *kernel.Context) error {
			f, err := os.OpenFile(filepath.Join(os.Getenv(dirVariable), "log2"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = fmt.Fprintln(f, c.Arg(0).(*httpd.Request).URL.Path)
			return err
		}),
		session.Handle("said", func(c *kernel.Context) error { saved.Store("said", c.Arg(0)); return nil }),
	), kernel.Alias("pages"))
	return err
}

var saved sync.Map

// servePage answers what the path asks for.
func servePage(c *kernel.Context, w *prefork.Worker, req *httpd.Request, resp *httpd.Response) error {
	ask := func(event string, args ...any) any {
		v, err := c.Call("web", event, args...)
		if err != nil {
			return err
		}
		return v
	}
	path := req.URL.Path
	if strings.HasPrefix(path, "/slow/") {
		path = "/slow"
	}
	switch path {
	case "/pid":
		fmt.Fprint(resp, os.Getpid())
	case "/generation":
		fmt.Fprint(resp, w.Generation())
	case "/started":
		resp.WriteString(started)
	case "/ischild":
		fmt.Fprint(resp, ask("ISCHILD"))
	case "/set":
		fmt.Fprint(resp, ask("SETHANDLERS", []httpd.Route{{Dir: "^/", Session: "pages", Event: "other"}}),
			ask("SETFORKHANDLERS", map[kernel.Address]string{"pages": "forked_later"}))
	case "/ask":
		ask("GETFORKHANDLERS", httpd.Target{Session: "pages", Event: "said"})
	case "/said":
		v, _ := saved.Load("said")
		b, _ := json.Marshal(v)
		_, _ = resp.Write(b)
	case "/stop":
		ask("STOPLISTEN")
	case "/start":
		ask("STARTLISTEN")
	case "/graceful":
		if err := c.Post("web", "SHUTDOWN", true); err != nil {
			return err
		}
	case "/kill":
		if err := c.Post("web", "SHUTDOWN"); err != nil {
			return err
		}
		return nil
	case "/stream":
		for range 5 {
			resp.Stream("", "", true)
			resp.WriteString("piece ")
			resp.Send()
		}
	case "/stream/close":
		resp.Stream("", "", true)
		resp.WriteString("piece")
		resp.Send()
		resp.Close()
		return nil
	case "/slow": // until the file of that name is there
		go func() {
			for i := 0; i < 3000; i++ {
				if _, err := os.Stat(filepath.Join(os.Getenv(dirVariable), "go")); err == nil {
					break
				}
				<-time.After(10 * time.Millisecond)
			}
			resp.WriteString("slow")
			resp.Done()
		}()
		return nil
	default:
		resp.WriteString("hello")
	}
	resp.Done()
	return nil
}

// farm is a running preforking server whose master is the test's own process.
type farm struct {
	*httpd.Server
	t    *testing.T
	k    *kernel.Kernel
	dir  string
	said chan string // what the master reports
	end  chan error
}

func startFarm(t *testing.T, m kernel.Mode, name string) *farm {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(modeVariable, m.String())
	t.Setenv(dirVariable, dir)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // default: a second
	f := &farm{t: t, dir: dir, said: make(chan string, 100), end: make(chan error, 1)}
	f.k = kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{
		Reported: func(_, cause string, err error) {
			t.Logf("%s: %v", cause, err)
			select {
			case f.said <- fmt.Sprintf("%s: %v", cause, err):
			default:
			}
		},
	}})
	var err error
	if f.Server, err = httpd.New(f.k, farms[name](name)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.end <- f.k.Run(context.Background())
	}()
	t.Cleanup(func() {
		f.k.Stop()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("Run did not return")
		}
	})
	return f
}

// within waits for something to become true.
func within(t *testing.T, what string, f func() bool) {
	t.Helper()
	end := time.After(patience)
	for !f() {
		select {
		case <-end:
			t.Fatalf("in vain: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (f *farm) status() prefork.Status {
	f.t.Helper()
	s, err := f.Pool().Status()
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// showing waits for so many living workers in each state, by their letters.
func (f *farm) showing(letters string) (s prefork.Status) {
	f.t.Helper()
	want := map[rune]int{}
	for _, l := range letters {
		want[l]++
	}
	within(f.t, "workers "+letters, func() bool {
		s = f.status()
		now := map[rune]int{}
		for _, w := range s.Workers {
			now[rune(w.Letter[0])]++
		}
		if len(s.Workers) != len(letters) {
			return false
		}
		for l, n := range want {
			if now[l] != n {
				return false
			}
		}
		return true
	})
	return s
}

// ask makes a request on a connection of its own.
func (f *farm) ask(path string) string {
	f.t.Helper()
	_, body := fetch(f.t, f.Server, path)
	return body
}

// pid is who answers on a connection.
func (p *peer) pid() int {
	p.t.Helper()
	p.get("/pid")
	_, body := p.answer(http.MethodGet)
	n, err := strconv.Atoi(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// over waits for Run's result.
func (f *farm) over() {
	f.t.Helper()
	select {
	case err := <-f.end:
		if err != nil {
			f.t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		f.t.Fatal("Run did not return")
	}
}
