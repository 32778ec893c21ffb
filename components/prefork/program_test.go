//go:build unix

package prefork

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// program is a main that calls New: once in the test's own process or in one
// that it starts, and again in every worker.
type program struct {
	name    string
	before  func(*kernel.Kernel) error // New, in all processes
	configs func(dir string) []Config
}

var programs = map[string]*program{}

// pool registers a program with one pool.
func pool(name string, config func(dir string) Config) *program {
	p := &program{name: name, configs: func(dir string) []Config { return []Config{config(dir)} }}
	programs[name] = p
	return p
}

const (
	modeVariable = "USHER_TEST_MODE"
	dirVariable  = "USHER_TEST_DIR" // of the test's own; tells its processes from others
)

var modes = []kernel.Mode{kernel.Parallel, kernel.Serial}

func inModes(t *testing.T, f func(t *testing.T, mode kernel.Mode)) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) { f(t, mode) })
	}
}

// beProgram is the process of a worker, or of a master that a test started.
func beProgram() int {
	time.AfterFunc(2*patience, func() { os.Exit(99) })
	p := programs[os.Getenv(programVariable)]
	k := kernel.New(kernel.Config{})
	if os.Getenv(modeVariable) == kernel.Serial.String() {
		k = kernel.New(kernel.Config{Mode: kernel.Serial})
	}
	pools, err := p.open(k, os.Getenv(dirVariable), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "New:", err)
		return 98
	}
	if IsChild() {
		fmt.Fprintln(os.Stderr, "New has returned in a worker")
		return 97
	}
	var addrs []string
	for _, p := range pools {
		for _, a := range p.Addrs() {
			addrs = append(addrs, a.Network()+" "+a.String())
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(addrs)
	if err := k.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "Run:", err)
		return 1
	}
	return 0
}

// open calls New for every pool.
func (p *program) open(k *kernel.Kernel, dir string, change func(*limits)) (pools []*Pool, err error) {
	if p.before != nil {
		if err := p.before(k); err != nil {
			return nil, err
		}
	}
	for _, cfg := range p.configs(dir) {
		pool, err := newPool(k, cfg, change)
		if err != nil {
			return nil, err
		}
		if IsChild() { // a pool of other workers: there, and dead
			_, err := pool.Stats()
			if len(pool.Addrs()) != 0 || err == nil || pool.Shutdown() != nil {
				return nil, fmt.Errorf("pool %q is alive in a worker of another", cfg.Name)
			}
		}
		pools = append(pools, pool)
	}
	return pools, nil
}

func (p *program) environ(t *testing.T, mode kernel.Mode) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "usher") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv(programVariable, p.name)
	t.Setenv(modeVariable, mode.String())
	t.Setenv(dirVariable, dir)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // default: a second
	return dir
}

// running is a program whose master is the test's own process.
type running struct {
	*Pool
	t      *testing.T
	k      *kernel.Kernel
	pools  []*Pool
	dir    string
	cancel func()
	result chan error
}

func (p *program) run(t *testing.T, mode kernel.Mode, change func(*limits)) *running {
	t.Helper()
	dir := p.environ(t, mode)
	k := kernel.New(kernel.Config{Mode: mode, Observer: &kernel.Observer{
		Unhandled: func(r kernel.Record) { t.Errorf("unhandled event %q to %v", r.Event, r.To) },
		Reported:  func(_, cause string, err error) { t.Logf("%s: %v", cause, err) },
	}})
	pools, err := p.open(k, dir, change)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Pool: pools[0], t: t, k: k, pools: pools, dir: dir, cancel: cancel, result: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.result <- k.Run(ctx)
	}()
	t.Cleanup(func() {
		k.Stop()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Errorf("Run did not return\n%s", stacks())
		}
		cancel()
		nobodyLeft(t, dir)
	})
	return r
}

// wait returns Run's result.
func (r *running) wait() error {
	r.t.Helper()
	select {
	case err := <-r.result:
		return err
	case <-time.After(patience):
		r.t.Fatalf("Run did not return\n%s", stacks())
		return nil
	}
}

func (r *running) stats() Stats {
	r.t.Helper()
	s, err := r.Stats()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// until waits for the scoreboard to show something.
func (r *running) until(what string, f func(Stats) bool) Stats {
	r.t.Helper()
	var s Stats
	until(r.t, what, func() bool { s = r.stats(); return f(s) })
	return s
}

// showing waits for so many workers in each state, by their letters.
func (r *running) showing(letters string) Stats {
	r.t.Helper()
	want := map[rune]int{}
	for _, l := range letters {
		want[l]++
	}
	return r.until("workers "+letters, func(s Stats) bool {
		for l, n := range want {
			if strings.Count(s.Letters, string(l)) != n {
				return false
			}
		}
		return len(s.Workers) == len(letters)
	})
}

// foreign is a program whose master is another process, which may be killed.
type foreign struct {
	*exec.Cmd
	t     *testing.T
	dir   string
	addrs []string
	ended chan error
}

func (p *program) start(t *testing.T, mode kernel.Mode) *foreign {
	t.Helper()
	return p.startAs(t, mode, os.Args[0])
}

// startAs starts the program by a path of its own.
func (p *program) startAs(t *testing.T, mode kernel.Mode, path string, change ...func(*foreign)) *foreign {
	t.Helper()
	f := &foreign{t: t, dir: p.environ(t, mode), Cmd: exec.Command(path), ended: make(chan error, 1)}
	said, err := os.Create(filepath.Join(f.dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	f.Stderr = said
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(f.said())
		}
	})
	for _, c := range change {
		c(f)
	}
	out, err := f.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&f.addrs); err != nil {
		t.Errorf("the master said nothing: %v", err)
	}
	go func() { f.ended <- f.Wait() }()
	t.Cleanup(func() {
		_ = f.Process.Kill()
		nobodyLeft(t, f.dir)
	})
	return f
}

// said is what it and its workers have written to standard error.
func (f *foreign) said() string {
	all, err := os.ReadFile(filepath.Join(f.dir, "stderr"))
	if err != nil {
		f.t.Error(err)
	}
	return string(all)
}

func (f *foreign) signal(sig os.Signal) {
	f.t.Helper()
	if err := f.Process.Signal(sig); err != nil {
		f.t.Fatal(err)
	}
}

// exits waits for the master's end.
func (f *foreign) exits() error {
	f.t.Helper()
	select {
	case err := <-f.ended:
		return err
	case <-time.After(patience):
		f.t.Fatal("the master did not end")
		return nil
	}
}
