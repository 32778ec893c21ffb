//go:build unix

package prefork

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

var errNoLuck = errors.New("no luck today")

// starts are ways for a worker not to start.
var starts = map[string]func(*kernel.Context, *Worker) error{
	"exits":     func(*kernel.Context, *Worker) error { os.Exit(3); return nil },
	"panics":    func(*kernel.Context, *Worker) error { panic("as asked") },
	"refuses":   func(*kernel.Context, *Worker) error { return errNoLuck },
	"never":     func(*kernel.Context, *Worker) error { <-make(chan struct{}); return nil },
	"to nobody": func(_ *kernel.Context, w *Worker) error { w.Serve("nobody", gotConn); return nil },
	"serves twice": func(_ *kernel.Context, w *Worker) error {
		w.Serve("prefork-worker", gotConn)
		_ = w.Listener()
		return nil
	},
	"done early": func(*kernel.Context, *Worker) error { os.Exit(0); return nil },
}

func init() {
	for name, server := range starts {
		pool("start "+name, func(string) Config {
			return Config{
				Listen: []string{"tcp://:0"}, StartServers: 2, StartTimeout: 5 * quick, CheckSpares: quick / 2,
				Grace: quick, KeepOnError: true, Server: server,
			}
		})
	}
}

func TestP57_CrashLoopGivesUp(t *testing.T) {
	for name := range starts {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, mode kernel.Mode) {
				r := programs["start "+name].run(t, mode, func(l *limits) {
					l.failedBoots, l.backoff = 4, backoff{quick / 4, quick / 2}
					if name != "never" {
						l.startTimeout = Unlimited
					}
				})
				err := r.wait()
				var x *kernel.Exception
				if !errors.Is(err, ErrGaveUp) || !errors.As(err, &x) {
					t.Fatalf("Run: %v", err)
				}
				if !strings.Contains(err.Error(), "4 in a row") || !strings.Contains(err.Error(), "standard error") {
					t.Errorf("the error does not help: %v", err)
				}
				if name == "panics" && !strings.Contains(err.Error(), "goroutine ") {
					t.Errorf("no stack: %v", err)
				}
				if n := r.lost.Load(); n < 4 {
					t.Errorf("%d workers were reported as lost", n)
				}
				if _, err := r.Stats(); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("Stats: %v", err)
				}
			})
		})
	}
}

// A process that cannot be created ends the pool, or is tried again.
func TestP88_SpawnFailure(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.runSpoilt(t, mode)
		if err := r.wait(); !errors.Is(err, ErrSpawn) {
			t.Errorf("Run: %v", err)
		}
	})
}

var stubborn = pool("stubborn", func(string) Config {
	return Config{Listen: []string{"tcp://:0"}, KeepOnError: true, CheckSpares: quick, Server: serveLines}
})

func TestP43_KeepOnErrorTriesAgainUntilItGivesUp(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := stubborn.runSpoilt(t, mode)
		if err := r.wait(); !errors.Is(err, ErrGaveUp) || !errors.Is(err, ErrSpawn) {
			t.Errorf("Run: %v", err)
		}
	})
}

// runSpoilt runs a pool without listeners to pass on, so that no worker can
// be started.
func (p *program) runSpoilt(t *testing.T, mode kernel.Mode) *running {
	t.Helper()
	dir := p.environ(t, mode)
	k := kernel.New(kernel.Config{Mode: mode, Observer: &kernel.Observer{}})
	pools, err := p.open(k, dir, func(l *limits) { l.failedBoots, l.backoff = 3, backoff{quick / 4, quick / 2} })
	if err != nil {
		t.Fatal(err)
	}
	pools[0].closeEndpoints()
	r := &running{Pool: pools[0], t: t, k: k, dir: dir, result: make(chan error, 1)}
	go func() { r.result <- k.Run(context.Background()) }()
	return r
}

var watched = pool("watched", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 2, MaxClients: 2, Timeout: 3 * time.Second, Grace: time.Second,
		CheckSpares: quick, Server: serveLines,
	}
})

// The watchdog is about the worker's events, so it needs a serial kernel to see
// a handler that blocks (P68).
func TestP80_WorkerThatBlocksIsReplaced(t *testing.T) {
	r := watched.run(t, kernel.Serial, nil)
	r.showing("__")
	one, two := r.dial(), r.dial()
	pid := one.pid()
	two.pid()
	one.say("block")
	one.cut()
	s := r.until("a replacement", func(s Stats) bool { return s.Started == 3 && s.Lost == 1 })
	for _, w := range s.Workers {
		if w.PID == pid {
			t.Errorf("worker %d is still there", pid)
		}
	}
	if two.ask("hello") != "hello" {
		t.Error("the other one was disturbed")
	}
}

// A worker without its server session is of no use.
func TestP56_WorkerLeavesWithoutItsServerSession(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		c := r.dial()
		c.ask("hello")
		if c.ask("quit") != "quit" {
			t.Error("the connection under way was disturbed")
		}
		r.until("a draining worker", func(s Stats) bool { return strings.Contains(s.Letters, "G") })
		if c.ask("hello") != "hello" {
			t.Error("the connection under way was disturbed")
		}
		c.say("bye")
		c.cut()
		s := r.until("its end", func(s Stats) bool { return len(s.Workers) == 1 && strings.Contains(s.Letters, "_") })
		if s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// rude is a pool whose first worker talks rubbish to its master, which hangs up.
var rude = pool("rude", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 2, MinSpareServers: 2, MaxClients: 2, CheckSpares: quick,
		Server: func(c *kernel.Context, w *Worker) error {
			f, err := os.OpenFile(filepath.Join(dir, "once"), os.O_CREATE|os.O_EXCL, 0o600)
			if err == nil {
				_ = f.Close()
				if _, err := w.estate.control.Write([]byte(strings.Repeat("\xff", 64<<10))); err != nil {
					return err
				}
			}
			return serveLines(c, w)
		},
	}
})

func TestP60_P63_RubbishOnTheControlSocketCostsItsWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := rude.run(t, mode, func(l *limits) { l.backoff, l.youth = backoff{quick / 4, quick / 2}, quick })
		r.until("a replacement", func(s Stats) bool { return s.Started == 3 && s.Letters == "__" })
		if r.dial().ask("hello") != "hello" {
			t.Error("wrong answer")
		}
	})
}
