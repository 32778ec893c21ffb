//go:build unix

package httpd_test

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	farms["plain"] = plainFarm(nil)
	farms["forked"] = plainFarm(func(cfg *httpd.Config) {
		cfg.Prefork.ForkHandlers = map[kernel.Address]string{"pages": "forked"}
	})
	farms["renamed"] = plainFarm(func(cfg *httpd.Config) { // the program on disk may have others
		cfg.Prefork.ForkHandlers = map[kernel.Address]string{"pages": cmp.Or(os.Getenv(forkVariable), "forked")}
	})
	farms["few"] = plainFarm(func(cfg *httpd.Config) {
		cfg.Prefork.MaxRequests, cfg.Prefork.StartServers, cfg.Prefork.MaxClients = 3, 1, 1
		cfg.Log2Handler = httpd.Target{Session: "pages", Event: "log2"}
	})
}

func TestP1_P10_P14_P16_WorkersServeAndShowTheirRequests(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		f.showing("__")
		kept := dial(t, f.Server)
		if pid := kept.pid(); pid == os.Getpid() {
			t.Error("the master serves")
		}
		f.showing("__") // a kept connection does not make it busy
		kept.get("/slow?secret")
		s := f.showing("W_")
		for _, w := range s.Workers {
			want := ""
			if w.Letter == "W" {
				want = "GET /slow"
			}
			if w.Request != want {
				t.Errorf("worker %s shows %q", w.Letter, w.Request)
			}
		}
		if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		kept.want(200, "slow")
		if s := f.showing("__"); s.Requests != 2 || s.Connections != 1 {
			t.Errorf("%d requests on %d connections; want 2 on 1", s.Requests, s.Connections)
		}
	})
}

func TestP2_P3_P4_P5_P6_P65_Defaults(t *testing.T) {
	base := func() httpd.Config {
		return httpd.Config{Handler: http.NotFoundHandler(), Prefork: &prefork.Config{Name: "defaults"}}
	}
	s, err := httpd.New(kernel.New(kernel.Config{}), base())
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.Pool().Status()
	if err != nil {
		t.Fatal(err)
	}
	l := st.Limits
	if l.StartServers != 10 || l.MinSpareServers != 5 || l.MaxSpareServers != 10 || l.MaxClients != 256 {
		t.Errorf("%+v", l)
	}
	for _, c := range []struct {
		name   string
		change func(*httpd.Config)
	}{
		{"Config.Prefork.Listen", func(c *httpd.Config) { c.Prefork.Listen = []string{"tcp://:0"} }},
		{"Config.Prefork.ReadTimeout", func(c *httpd.Config) { c.Prefork.ReadTimeout = time.Second }},
		{"Config.Prefork.Tell", func(c *httpd.Config) { c.Prefork.Tell = func() string { return "" } }},
		{"Config.Alias", func(c *httpd.Config) { c.Alias = "defaults" }},
		{"Config.MinSpareServers", func(c *httpd.Config) { c.Prefork.MinSpareServers = -1 }},
		{"Config.Listen[0]", func(c *httpd.Config) { c.Listen = []string{"nonsense"} }},
	} {
		cfg := base()
		c.change(&cfg)
		if _, err := httpd.New(kernel.New(kernel.Config{}), cfg); !errors.Is(err, httpd.ErrConfig) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A server that cannot be made leaves nothing open, nor a pool behind.
func TestAliasTakenOfAPreforkingServer(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := kernel.New(kernel.Config{Mode: m})
		if _, err := k.Spawn(session.New(), kernel.Alias("web")); err != nil {
			t.Fatal(err)
		}
		sock := filepath.Join(t.TempDir(), "s")
		cfg := httpd.Config{Alias: "web", Listen: []string{"unix://" + sock}, Handler: http.NotFoundHandler(), Prefork: &prefork.Config{Name: "alias"}}
		if _, err := httpd.New(k, cfg); !errors.Is(err, kernel.ErrAliasTaken) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Lstat(sock); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket file: %v", err)
		}
		if _, left := k.Resolve("alias"); left {
			t.Error("the pool is left")
		}
	})
}

func TestP7_P23_P24_P25_HandlersOfWorkers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "forked")
		f.showing("__")
		if got := f.ask("/started"); got != "forked" {
			t.Errorf("the fork handlers have left %q", got)
		}
		if child := f.ask("/ischild"); child != "true" {
			t.Errorf("ISCHILD in a worker: %s", child)
		}
		if child, err := f.k.Call(t.Context(), "web", "ISCHILD"); child != false || err != nil {
			t.Errorf("ISCHILD in the master: %v, %v", child, err)
		}
		if got := f.ask("/set"); got != "<nil> <nil>" { // refused, and no failure
			t.Errorf("setting handlers in a worker: %s", got)
		}
		p := dial(t, f.Server) // one worker for both
		p.get("/ask")
		p.want(200, "")
		within(t, "GETFORKHANDLERS", func() bool {
			p.get("/said")
			_, body := p.answer("GET")
			return body == `{"pages":"forked"}`
		})
		p.get("/hello")
		p.want(200, "hello") // by the old handlers

		// What the master changes reaches workers that are started later.
		if err := f.k.Post("web", "SETFORKHANDLERS", map[kernel.Address]string{"pages": "forked_later"}); err != nil {
			t.Fatal(err)
		}
		within(t, "SETFORKHANDLERS", func() bool { return f.ForkHandlers()["pages"] == "forked_later" })
		if err := f.SetForkHandlers(map[kernel.Address]string{"": "x"}); !errors.Is(err, httpd.ErrConfig) {
			t.Errorf("a nameless session: %v", err)
		}
		if got := f.ask("/started"); got != "forked" {
			t.Errorf("an old worker has %q", got)
		}
		if err := f.Pool().Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, "new fork handlers", func() bool { return f.ask("/started") == "later" })
		if err := f.SetHandlers([]httpd.Route{{Dir: "^/", Session: "pages", Event: "other"}}); err != nil {
			t.Fatal(err)
		}
		if err := f.Pool().Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, "new routes", func() bool { return f.ask("/") == "other" })
		big := []httpd.Route{{Dir: strings.Repeat("x", 200<<10), Session: "pages", Event: "page"}}
		if err := f.SetHandlers(big); !errors.Is(err, httpd.ErrConfig) {
			t.Errorf("too many routes: %v", err)
		}
	})
}

// What the master is given takes the place of all there was, also when it is nothing.
func TestP24_P25_HandlersAreReplaced(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "forked")
		f.showing("__")
		reload := func() {
			t.Helper()
			if err := f.Pool().Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			within(t, "the old workers' end", func() bool {
				s := f.status()
				return !slices.ContainsFunc(s.Workers, func(w prefork.WorkerStatus) bool { return w.Generation != s.Generation })
			})
		}
		for _, set := range []map[kernel.Address]string{{"web": "STARTLISTEN"}, {}, nil} {
			if err := f.SetForkHandlers(set); err != nil {
				t.Fatal(err)
			}
			if got := f.ForkHandlers(); !maps.Equal(got, set) {
				t.Errorf("set %v, and has %v", set, got)
			}
			reload()
			if got := f.ask("/started"); got != "" {
				t.Errorf("%v: a former fork handler has left %q", set, got)
			}
		}
		if err := f.SetHandlers(nil); err != nil {
			t.Fatal(err)
		}
		reload()
		if a, _ := fetch(t, f.Server, "/"); a.StatusCode != http.StatusNotFound {
			t.Errorf("without routes: %s", a.Status)
		}
	})
}

// A reload goes by what the new program says, as long as the master was told nothing.
func TestP24_ForkHandlersOfANewProgram(t *testing.T) {
	f := startFarm(t, kernel.Parallel, "renamed")
	f.showing("__")
	t.Setenv(forkVariable, "forked_later")
	if err := f.Pool().Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, "the new program's fork handler", func() bool { return f.ask("/started") == "later" })
}

// A worker that listens no more is idle for the scoreboard, and goes on with what it
// has; the other takes whoever comes.
func TestP26_StopListenInAWorker(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		f.showing("__")
		p := dial(t, f.Server)
		pid := p.pid()
		p.get("/stop")
		p.want(200, "")
		slipped := 0 // it was accepting when it was told
		for range 20 {
			if other := dial(t, f.Server).pid(); other == pid {
				slipped++
			}
		}
		if slipped > 1 {
			t.Fatalf("it has accepted %d more", slipped)
		}
		f.showing("__")
		if p.pid() != pid {
			t.Error("it serves no more")
		}
		p.get("/start")
		p.want(200, "")
		within(t, "it accepts again", func() bool { return dial(t, f.Server).pid() == pid })
	})
}

func TestP27_H85_StopListenInTheMaster(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		f.showing("__")
		at := f.Addrs()[0].String()
		before := f.ask("/pid")
		if err := f.k.Post("web", "STOPLISTEN"); err != nil {
			t.Fatal(err)
		}
		<-f.Pool().Done()
		if f.Stats().Listening {
			t.Error("Stats say that it listens")
		}
		if err := f.k.Post("web", "STARTLISTEN"); err != nil {
			t.Fatal(err)
		}
		within(t, "listening", func() bool { return f.Stats().Listening })
		if f.Addrs()[0].String() != at {
			t.Errorf("now on %v", f.Addrs())
		}
		if after := f.ask("/pid"); after == before {
			t.Errorf("served by %s still", after)
		}
		f.showing("__")
		if err := f.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		f.over()
	})
}

func TestP28_P29_GracefulEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		f.showing("__")
		idle, busy := dial(t, f.Server), dial(t, f.Server)
		idle.pid()
		busy.get("/slow")
		f.showing("W_")
		end := make(chan error, 1)
		go func() { end <- f.Shutdown(t.Context()) }()
		idle.end()
		if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if a := busy.want(200, "slow"); !a.Close {
			t.Error(`no "Connection: close"`)
		}
		if err := <-end; err != nil {
			t.Error(err)
		}
		f.over()
		if err := f.StartListen(); !errors.Is(err, httpd.ErrShutDown) {
			t.Errorf("StartListen: %v", err)
		}
	})
}

// In a worker a graceful end is its own, and another takes its place.
func TestP28_P29_GracefulEndOfAWorker(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "few")
		f.showing("_")
		p := dial(t, f.Server)
		pid := p.pid()
		p.get("/graceful")
		p.answer("GET")
		p.end()
		within(t, "another worker", func() bool { return dial(t, f.Server).pid() != pid })
		if s := f.status(); s.Lost != 0 {
			t.Errorf("%d workers were lost", s.Lost)
		}
	})
}

func TestP30_ForcedEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		f.showing("__")
		busy := dial(t, f.Server)
		busy.get("/slow")
		f.showing("W_")
		if err := f.k.Post("web", "SHUTDOWN"); err != nil {
			t.Fatal(err)
		}
		if rest := busy.closed(); rest != "" {
			t.Errorf("came %q", rest)
		}
		f.over()
	})
}

func TestP34_CloseOfAStreamClosesTheConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		p := dial(t, f.Server)
		p.get("/stream/close")
		p.want(200, "piece")
		p.end()
	})
}

// Three requests and not three pieces: the first is a stream of five. What was posted
// with the last answer is handled before the process ends. The client sees the end of
// its connection between two requests.
func TestP19_P20_R19_AfterMaxRequestsAnotherWorker(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "few")
		p := dial(t, f.Server)
		p.get("/stream")
		p.want(200, strings.Repeat("piece ", 5))
		pid := p.pid()
		if again := p.pid(); again != pid {
			t.Fatalf("served by %d, then by %d", pid, again)
		}
		p.end()
		q := dial(t, f.Server)
		if next := q.pid(); next == pid {
			t.Error("the worker serves on")
		}
		all, err := os.ReadFile(filepath.Join(f.dir, "log2"))
		if want := "/stream\n/pid\n/pid\n"; err != nil || !strings.HasPrefix(string(all), want) {
			t.Errorf("Log2Handler had %q, %v; want %q", all, err, want)
		}
		if s := f.status(); s.Lost != 0 || s.Started != 2 {
			t.Errorf("%d started, %d lost; want 2, 0", s.Started, s.Lost)
		}
	})
}
