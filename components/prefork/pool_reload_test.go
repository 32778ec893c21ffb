//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// version is what a worker of reloaded reads when it starts: its configuration.
var version string

// reloaded is a pool whose workers read a file: "broken" does not start, "late"
// is not ready in time, "stuck" only in the tests that end it otherwise.
var reloaded = pool("reloaded", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0", unixAddress(dir)}, StartServers: 2, MinSpareServers: 2, MaxClients: 3,
		MaxRequests: Unlimited, ConnsPerServer: 100, ReloadReady: 2, CheckSpares: quick, Grace: 10 * quick,
		Server: func(c *kernel.Context, w *Worker) error {
			told, _ := os.ReadFile(filepath.Join(dir, "version")) // none: the first
			switch version = string(told); version {
			case "broken":
				fmt.Fprintln(os.Stderr, "cannot read", filepath.Join(dir, "settings"))
				os.Exit(3)
			case "stuck":
				f, err := os.OpenFile(filepath.Join(dir, "stuck"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
				if err != nil {
					return err
				}
				fmt.Fprintln(f, os.Getpid())
				<-make(chan struct{})
			}
			return serveLines(c, w)
		},
	}
})

func configure(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "version"), []byte(version), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stuck waits for at least so many workers that do not get ready, and returns their pids.
func stuck(t *testing.T, dir string, n int) (pids []int) {
	t.Helper()
	until(t, "stuck workers", func() bool {
		pids = nil
		all, _ := os.ReadFile(filepath.Join(dir, "stuck"))
		for _, line := range strings.Fields(string(all)) {
			var pid int
			if _, err := fmt.Sscan(line, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
		return len(pids) >= n
	})
	return pids
}

func (r *running) reload() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.Reload(ctx)
}

// servedBy waits for the new workers: the old ones may take another connection
// before they hear that they are to finish.
func (r *running) servedBy(version string) {
	r.t.Helper()
	until(r.t, "version "+version, func() bool {
		c := r.dial()
		defer c.Close()
		return c.ask("version") == version
	})
}

func (r *running) status() Status {
	r.t.Helper()
	s, err := r.Status()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// Clients hammer while the program is reloaded three times, and lose nothing.
func TestIII1_ReloadLosesNoConnection(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := reloaded.run(t, mode, nil)
		r.showing("__")
		old := r.dial()
		old.ask("hello")
		var done atomic.Bool
		var hammers sync.WaitGroup
		for i := range 4 {
			hammers.Go(func() {
				for n := 0; !done.Load(); n++ {
					if err := r.visit(i % 2); err != nil {
						t.Errorf("after %d connections: %v", n, err)
						return
					}
				}
			})
		}
		for i := range 3 {
			configure(t, r.dir, fmt.Sprint("v", i))
			if err := r.reload(); err != nil {
				t.Error(err)
			}
		}
		done.Store(true)
		hammers.Wait()
		if old.ask("hello") != "hello" { // of generation 1, which finishes what it has
			t.Error("wrong answer")
		}
		if g := old.ask("generation"); g != "1" {
			t.Errorf("it is served by generation %s", g)
		}
		_ = old.Close()
		s := r.until("the end of the old ones", func(s Stats) bool {
			for _, w := range s.Workers {
				if w.Generation != 4 {
					return false
				}
			}
			return len(s.Workers) >= 2
		})
		if s.Lost != 0 {
			t.Errorf("%d workers were lost", s.Lost)
		}
		r.servedBy("v2")
		if s := r.status(); s.Generation != 4 || s.Reload != (ReloadStatus{}) {
			t.Errorf("status: %+v", s)
		}
	})
}

func TestIII1_BrokenProgramKeepsTheOldWorkers(t *testing.T) {
	r := reloaded.run(t, kernel.Parallel, nil)
	before := r.showing("__")
	configure(t, r.dir, "broken")
	err := r.reload()
	if !errors.Is(err, ErrReload) {
		t.Fatalf("Reload: %v", err)
	}
	for _, want := range []string{"the old workers go on", "generation 2", "exit status 3", "\tcannot read " + r.dir + "/settings"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	r.until("the end of the new ones", func(s Stats) bool { return s.Letters == "__." })
	for i, w := range r.stats().Workers {
		if w.PID != before.Workers[i].PID {
			t.Errorf("worker %d became %d", before.Workers[i].PID, w.PID)
		}
	}
	if s := r.status(); s.Generation != 1 || s.Reload.Active || s.Reload.Failed != err.Error() || s.Boots.Failures != 0 {
		t.Errorf("status: %+v", s)
	}
	if r.dial().ask("version") != "" {
		t.Error("the wrong ones serve")
	}
	configure(t, r.dir, "mended")
	if err := r.reload(); err != nil {
		t.Fatal(err)
	}
	r.servedBy("mended")
}

func TestIII1_NotReadyInTimeFailsAReload(t *testing.T) {
	r := reloaded.run(t, kernel.Parallel, func(l *limits) { l.startTimeout, l.grace = time.Second, quick })
	r.showing("__")
	configure(t, r.dir, "stuck")
	err := r.reload()
	if !errors.Is(err, ErrReload) || !errors.Is(err, errNotReady) {
		t.Fatalf("Reload: %v", err)
	}
	r.until("the end of the new ones", func(s Stats) bool { return s.Letters == "__." })
}

// What is killed during a reload is missed by nobody: an old worker is replaced,
// the loss of a new one fails the reload.
func TestIII1_WorkersKilledDuringAReload(t *testing.T) {
	r := reloaded.run(t, kernel.Parallel, func(l *limits) { l.youth = quick })
	first := r.showing("__")
	configure(t, r.dir, "stuck")
	result := make(chan error, 1)
	go func() { result <- r.reload() }()
	pids := stuck(t, r.dir, 2)
	if s := r.status(); !s.Reload.Active || s.Reload.Generation != 2 || s.Reload.Need != 2 {
		t.Errorf("status: %+v", s.Reload)
	}
	configure(t, r.dir, "good") // what replaces an old one is the old program, but reads this
	kill(t, first.Workers[0].PID, syscall.SIGKILL)
	r.until("a replacement", func(s Stats) bool { return strings.Count(s.Letters, "_") == 2 && s.Started == 5 })
	kill(t, pids[1], syscall.SIGKILL)
	if err := <-result; !errors.Is(err, ErrReload) || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("Reload: %v", err)
	}
	if err := r.reload(); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// The second reload waits for the first one and does what the program on disk
// says then.
func TestIII1_ReloadDuringAReload(t *testing.T) {
	r := reloaded.run(t, kernel.Parallel, nil)
	r.showing("__")
	configure(t, r.dir, "stuck")
	results := make(chan error, 3)
	go func() { results <- r.reload() }()
	pids := stuck(t, r.dir, 2)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Reload(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	configure(t, r.dir, "good")
	for range 2 {
		go func() { results <- r.reload() }()
	}
	until(t, "a reload to follow", func() bool { return r.view.Load().reload.again })
	kill(t, pids[0], syscall.SIGKILL)
	if err := <-results; err == nil {
		t.Error("the first one succeeded")
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	// The two that followed are one, unless the second came when that had begun.
	until(t, "the next generation", func() bool { g := r.status().Generation; return g == 3 || g == 4 })
	configure(t, r.dir, "stuck")
	go func() { results <- r.reload() }()
	stuck(t, r.dir, 4)
	_ = r.Shutdown()
	if err := <-results; !errors.Is(err, errShuttingDown) {
		t.Errorf("a reload that a shutdown met: %v", err)
	}
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	if err := r.reload(); !errors.Is(err, kernel.ErrNoSession) {
		t.Errorf("after the end: %v", err)
	}
}

// The program on disk is another one: a link that leads elsewhere. What is there
// cannot be run, does not start, and is right at last.
func TestIII1_HangupReloadsTheProgramOnDisk(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "server")
	point := func(to string) {
		t.Helper()
		_ = os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no such release >&2\nexit 4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	point(exe)
	f := reloaded.startAs(t, kernel.Parallel, link)
	old := f.dial(0)
	pid := old.pid()
	point(script)
	f.signal(syscall.SIGHUP)
	until(t, "a failed reload", func() bool { return strings.Contains(f.said(), "no such release") })
	if old.ask("hello") != "hello" || f.dial(0).ask("generation") != "1" {
		t.Error("the old ones were disturbed")
	}
	point(exe)
	configure(t, f.dir, "new")
	f.signal(syscall.SIGHUP)
	until(t, "the new workers", func() bool { return f.dial(0).ask("version") == "new" })
	if old.ask("hello") != "hello" || old.pid() != pid {
		t.Error("the connection under way was disturbed")
	}
}

// Nobody outlives a master that is killed in the middle of a reload.
func TestIII1_P86_MasterKilledDuringAReload(t *testing.T) {
	f := reloaded.start(t, kernel.Parallel)
	c := f.dial(0)
	c.ask("hello")
	_ = c.Close()
	configure(t, f.dir, "stuck")
	f.signal(syscall.SIGHUP)
	stuck(t, f.dir, 2)
	f.signal(syscall.SIGKILL)
	_ = f.exits()
	nobodyLeft(t, f.dir)
}
