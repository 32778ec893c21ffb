//go:build unix

package prefork

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/kernel"
)

var attended = pool("attended", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 3, MinSpareServers: 1, MaxClients: 3, MaxRequests: Unlimited,
		SoftTimeout: time.Second, Timeout: 4 * time.Second, Grace: 2 * time.Second, CheckSpares: quick,
		Server: serveLines,
	}
})

// A handler that blocks is seen, told, and ended; one that asked for patience has
// it; a process that is stopped is killed. In a serial kernel, where a handler
// that blocks is a worker that is silent (P68).
func TestIII3_P39_P68_P82_SilentWorkers(t *testing.T) {
	f := attended.start(t, kernel.Serial)
	fifo := filepath.Join(f.dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	patient, blocked, stopped := f.dial(0), f.dial(0), f.dial(0)
	pids := []int{patient.pid(), blocked.pid(), stopped.pid()}
	if patient.ask("extend") != "extend" {
		t.Error("wrong answer")
	}
	patient.say("fifo") // blocks first, and longest
	blocked.say("block")
	kill(t, pids[2], syscall.SIGSTOP)
	blocked.cut()
	stopped.cut()
	until(t, "the end of both", func() bool {
		for _, pid := range processes(t, f.dir) {
			if pid == pids[1] || pid == pids[2] {
				return false
			}
		}
		return true
	})
	if err := os.WriteFile(fifo, []byte("patience\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := patient.answer(); got != "patience" {
		t.Errorf("who asked for patience answers %q", got)
	}
	for _, want := range []string{
		fmt.Sprintf("pid %d: no event handled for 1s; its goroutines:\ngoroutine ", pids[1]), // its own words
		"worker silent", // the master's report
		"SIGABRT: abort",
	} {
		until(t, fmt.Sprintf("standard error to say %q", want), func() bool { return strings.Contains(f.said(), want) })
	}
	said := f.said()
	if n := strings.Count(said, fmt.Sprintf("pid %d: no event handled for 1s; its goroutines", pids[1])); n != 1 {
		t.Errorf("it says so %d times in one silence", n)
	}
	if strings.Contains(said, fmt.Sprintf("pid %d: no event handled for", pids[0])) {
		t.Error("who asked for patience is complained about")
	}
}

// tended is a pool that does what signals say.
var tended = pool("tended", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 2, MaxSpareServers: 2, MaxClients: 4, MaxRequests: Unlimited,
		CheckSpares: quick, Grace: quick, PIDFile: filepath.Join(dir, "pid"), Server: serveLines,
		Reopen: func() {
			f, err := os.OpenFile(filepath.Join(dir, "reopened"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err == nil {
				fmt.Fprintln(f, os.Getpid())
				_ = f.Close()
			}
			if _, err := os.Stat(filepath.Join(dir, "starve")); err == nil && !IsChild() {
				starve()
			}
		},
	}
})

// starve lets this process open no further file.
func starve() {
	open, _ := filepath.Glob("/proc/self/fd/*")
	limit := syscall.Rlimit{Max: 4096}
	for range open[1:] { // the type of Cur differs between systems
		limit.Cur++
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Fprintln(os.Stderr, "starve:", err)
	}
}

func TestP33_III14_III18_SignalsToTheMaster(t *testing.T) {
	f := tended.start(t, kernel.Parallel)
	living := func(n int) {
		t.Helper()
		until(t, fmt.Sprint(n, " workers"), func() bool { return len(processes(t, f.dir)) == n+1 })
	}
	pidFile := filepath.Join(f.dir, "pid")
	until(t, "the PID file", func() bool { _, err := os.Stat(pidFile); return err == nil })
	if pid, _ := os.ReadFile(pidFile); string(pid) != fmt.Sprintln(f.Process.Pid) {
		t.Errorf("the PID file holds %q, want %d", pid, f.Process.Pid)
	}
	living(2)
	f.signal(syscall.SIGTTIN)
	living(3)
	f.signal(syscall.SIGTTOU)
	living(2)
	f.signal(syscall.SIGUSR1)
	until(t, "everybody to reopen", func() bool {
		all, _ := os.ReadFile(filepath.Join(f.dir, "reopened"))
		pids := strings.Fields(string(all))
		for _, pid := range processes(t, f.dir) {
			if !strings.Contains(string(all), fmt.Sprintln(pid)) {
				return false
			}
		}
		return len(pids) == 3 && strings.Contains(string(all), fmt.Sprintln(f.Process.Pid))
	})
	f.signal(syscall.SIGTERM)
	if err := f.exits(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(pidFile); err == nil {
		t.Error("the PID file is left")
	}
}

// No process can be created during a reload: the old workers go on.
func TestIII1_P88_ForkFailureDuringAReload(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc to count descriptors in")
	}
	f := tended.start(t, kernel.Parallel)
	c := f.dial(0)
	c.ask("hello")
	if err := os.WriteFile(filepath.Join(f.dir, "starve"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.signal(syscall.SIGUSR1)
	until(t, "the master to reopen", func() bool {
		all, _ := os.ReadFile(filepath.Join(f.dir, "reopened"))
		return strings.Contains(string(all), fmt.Sprintln(f.Process.Pid))
	})
	f.signal(syscall.SIGHUP)
	until(t, "a failed reload", func() bool {
		return strings.Contains(f.said(), "reload failed, the old workers go on") && strings.Contains(f.said(), "too many open files")
	})
	if c.ask("hello") != "hello" || f.dial(0).ask("generation") != "1" {
		t.Error("the old ones were disturbed")
	}
}

// workerJSON is a worker as a status page gets it.
type workerJSON struct {
	Letter, State                          string
	PID, Requests, Connections, Generation int
	RSS                                    int64
	Beat, Started, Changed                 time.Time
}

func TestIII10_P37_Status(t *testing.T) {
	r := reloaded.run(t, kernel.Parallel, nil)
	r.showing("__")
	c := r.dial()
	pid := c.pid()
	c.ask("hello")
	if err := r.k.Signal("", "TTIN"); err != nil {
		t.Fatal(err)
	}
	r.showing("__W")
	text, err := json.Marshal(r.status())
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Name       string
		PID        int
		Generation int
		Letters    string
		Counts     map[string]int
		Requests   int
		Started    int
		Workers    []workerJSON
		Limits     struct {
			Min int `json:"min_spare_servers"`
			Max int `json:"max_spare_servers"`
			All int `json:"max_processes"`
		}
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if s.Name != "prefork" || s.PID != os.Getpid() || s.Generation != 1 || s.Started != 3 || s.Requests != 2 ||
		s.Counts["idle"] != 2 || s.Counts["busy"] != 1 || len(s.Letters) != 3 {
		t.Errorf("%s", text)
	}
	if s.Limits.Min != 3 || s.Limits.Max != 11 || s.Limits.All != 5 {
		t.Errorf("limits: %+v", s.Limits)
	}
	i := slices.IndexFunc(s.Workers, func(w workerJSON) bool { return w.PID == pid })
	if i < 0 {
		t.Fatalf("no worker %d in %s", pid, text)
	}
	if w := s.Workers[i]; w.Letter != "W" || w.State != "busy" || w.Requests != 2 || w.Connections != 1 || w.Generation != 1 ||
		w.RSS == 0 && measuresMemory || w.Beat.IsZero() || w.Started.IsZero() || w.Changed.Before(w.Started) {
		t.Errorf("%+v", w)
	}
}

// recycled pools replace all the time, one worker after the other.
var recycled = map[string]*program{
	"age": pool("aged", func(string) Config {
		return Config{
			Listen: []string{"tcp://:0"}, StartServers: 3, MaxClients: 3, MaxRequests: Unlimited, MaxAge: 5 * quick,
			CheckSpares: quick, Server: serveLines,
		}
	}),
	"memory": pool("fat", func(string) Config {
		return Config{
			Listen: []string{"tcp://:0"}, StartServers: 3, MaxClients: 3, MaxRequests: Unlimited, MaxRSS: 1,
			CheckSpares: quick, Server: serveLines,
		}
	}),
}

func TestIII11_RecyclingByAgeAndMemoryLosesNoConnection(t *testing.T) {
	for name, p := range recycled {
		t.Run(name, func(t *testing.T) {
			if name == "memory" && !measuresMemory {
				t.Skip("this system does not tell how much memory a process uses")
			}
			r := p.run(t, kernel.Parallel, func(l *limits) { l.youth = 0 })
			var hammers sync.WaitGroup
			for range 2 {
				hammers.Go(func() {
					for !t.Failed() && r.stats().Started < 10 {
						if err := r.visit(0); err != nil {
							t.Error(err)
						}
					}
				})
			}
			hammers.Wait()
			s := r.status()
			if s.Lost != 0 {
				t.Errorf("%d workers were lost", s.Lost)
			}
			if name == "memory" {
				until(t, "the memory of a worker", func() bool {
					return slices.ContainsFunc(r.status().Workers, func(w WorkerStatus) bool { return w.RSS > 1<<20 })
				})
			}
		})
	}
}
