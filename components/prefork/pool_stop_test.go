//go:build unix

package prefork

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var twoPools = &program{
	name: "two pools",
	configs: func(string) []Config {
		cfg := Config{Listen: []string{"tcp://:0"}, StartServers: 1, MaxClients: 1, CheckSpares: quick, Server: serveLines}
		one, two := cfg, cfg
		one.Name, two.Name = "one", "two"
		return []Config{one, two}
	},
}

func init() { programs[twoPools.name] = twoPools }

func TestP28_P29_P85_SignalEndsThePoolInOrder(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			inModes(t, func(t *testing.T, mode kernel.Mode) {
				f := twoWorkers.start(t, mode)
				c := f.dial(0)
				c.ask("hello")
				f.signal(sig)
				f.refused(0)
				f.refused(1)
				if _, err := os.Lstat(filepath.Join(f.dir, "s")); err == nil {
					t.Error("the socket file is left")
				}
				if c.ask("still there?") != "still there?" {
					t.Error("wrong answer")
				}
				c.say("bye")
				c.cut()
				if err := f.exits(); err != nil {
					t.Errorf("the master ended with %v", err)
				}
				nobodyLeft(t, f.dir)
			})
		})
	}
}

func TestP85_SecondSignalForces(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		f := twoWorkers.start(t, mode)
		c := f.dial(0)
		c.ask("hello")
		f.signal(syscall.SIGTERM)
		f.refused(0)
		f.signal(syscall.SIGTERM)
		c.cut()
		if err := f.exits(); err != nil {
			t.Errorf("the master ended with %v", err)
		}
	})
}

// What signal.NotifyContext makes of one signal, when its context is that of Run or has
// Shutdown called, is one request to end. Each of the three forces by itself, or for the
// context beside a second signal.
func TestP85_SignalContextAndShutdownAreOneRequest(t *testing.T) {
	for _, first := range []string{"signal", "context", "Shutdown"} {
		for _, again := range []string{"signal", "Shutdown"} {
			t.Run(first+", then twice by "+again, func(t *testing.T) {
				inModes(t, func(t *testing.T, mode kernel.Mode) {
					heard := make(chan struct{}, 10)
					r := twoWorkers.run(t, mode, nil)
					watching, err := r.k.SpawnHeld(session.New(
						session.Handle("_start", func(c *kernel.Context) error { c.Sig("TERM", "heard"); return nil }),
						session.Handle("heard", func(*kernel.Context) error { heard <- struct{}{}; return nil }),
					))
					if err != nil {
						t.Fatal(err)
					}
					defer watching.Release()
					hear := func() {
						select {
						case <-heard:
						case <-time.After(patience):
							t.Fatal("TERM was not told")
						}
					}
					do := map[string]func(){
						"signal":   func() { _ = r.k.Signal("", "TERM"); hear() },
						"context":  func() { r.cancel(); hear() },
						"Shutdown": func() { _ = r.Shutdown() },
					}
					c := r.dial()
					c.ask("hello")
					do[first]()
					r.until("a draining worker", func(s Stats) bool { return strings.Contains(s.Letters, "G") })
					for _, next := range []string{"signal", "context", "Shutdown"} {
						if next != first {
							do[next]()
						}
					}
					for range 20 {
						if c.ask("still there?") != "still there?" {
							t.Fatal("killed")
						}
					}
					do[again]()
					c.cut()
					if err := r.wait(); !errors.Is(err, context.Canceled) {
						t.Errorf("Run: %v", err)
					}
				})
			})
		}
	}
}

// The signal that one pool passes on when it is done does not force the other.
func TestP85_TwoPoolsEndInOrder(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		f := twoPools.start(t, mode)
		one, two := f.dial(0), f.dial(1)
		if one.pid() == two.pid() {
			t.Error("one worker serves both pools")
		}
		f.signal(syscall.SIGTERM)
		f.refused(0)
		f.refused(1)
		one.say("bye")
		one.cut()
		until(t, "the end of the first pool's worker", func() bool { return len(processes(t, f.dir)) == 2 })
		for range 10 {
			two.ask("still there?")
		}
		two.say("bye")
		two.cut()
		if err := f.exits(); err != nil {
			t.Errorf("the master ended with %v", err)
		}
	})
}

func TestP28_P69_P70_P71_SignalToAWorkerEndsItInOrder(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := three.run(t, mode, nil)
		c := r.dial()
		pid := c.pid()
		kill(t, pid, map[kernel.Mode]syscall.Signal{kernel.Parallel: syscall.SIGTERM, kernel.Serial: syscall.SIGINT}[mode])
		r.until("a draining worker", func(s Stats) bool { return strings.Contains(s.Letters, "G") })
		if c.ask("hello") != "hello" {
			t.Error("the connection under way was disturbed")
		}
		c.say("bye")
		c.cut()
		s := r.until("a replacement", func(s Stats) bool { return s.Started == 4 && strings.Count(s.Letters, "_") == 3 })
		if s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestP86_WorkersNoticeADeadMaster(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		f := twoWorkers.start(t, mode)
		c := f.dial(0)
		pid := c.pid()
		f.signal(syscall.SIGKILL)
		_ = f.exits()
		until(t, "the idle worker's end", func() bool { return len(processes(t, f.dir)) <= 1 })
		if left := processes(t, f.dir); len(left) == 1 && left[0] != pid {
			t.Errorf("%d is left; want the busy worker, %d", left[0], pid)
		}
		c.cut()
		nobodyLeft(t, f.dir)
	})
}

// Not even a handler that never returns keeps a worker without its master.
func TestP86_BlockedWorkerNoticesADeadMaster(t *testing.T) {
	f := twoWorkers.start(t, kernel.Serial)
	c := f.dial(0)
	c.pid()
	c.say("block")
	f.signal(syscall.SIGKILL)
	_ = f.exits()
	c.cut()
	nobodyLeft(t, f.dir)
}

func TestP85_ShutdownEndsThePoolAlone(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoPools.run(t, mode, nil)
		c, other := r.dial(), dial(t, "tcp", r.pools[1].Addrs()[0].String())
		c.ask("hello")
		other.ask("hello")
		if err := r.Shutdown(); err != nil {
			t.Fatal(err)
		}
		r.until("a draining worker", func(s Stats) bool { return s.Letters == "G" })
		c.ask("still there?")
		c.say("bye")
		c.cut()
		until(t, "the pool's end", func() bool { _, err := r.Stats(); return errors.Is(err, kernel.ErrNoSession) })
		if err := r.Shutdown(); err != nil {
			t.Errorf("Shutdown of an ended pool: %v", err)
		}
		if _, ok := r.k.Descriptions()["one"]; ok {
			t.Error("the ended pool is still described")
		}
		if other.ask("hello") != "hello" {
			t.Error("the other pool was disturbed")
		}
		_, _ = r.pools[1].Shutdown(), r.pools[1].Shutdown() // the second one forces
		other.cut()
		if err := r.wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestG6_KernelsEndTakesTheWorkersAlong(t *testing.T) {
	ends := map[string]func(r *running){
		"Stop": func(r *running) { r.k.Stop() },
		"an exception elsewhere": func(r *running) {
			if _, err := r.k.SpawnHeld(session.New(session.Handle("fail", func(*kernel.Context) error { return errNoLuck })), kernel.Alias("bad")); err != nil {
				r.t.Fatal(err)
			}
			if err := r.k.Post("bad", "fail"); err != nil {
				r.t.Fatal(err)
			}
		},
	}
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		for name, end := range ends {
			t.Run(name, func(t *testing.T) {
				r := twoWorkers.run(t, mode, nil)
				r.showing("__")
				c := r.dial()
				c.pid()
				end(r)
				c.cut()
				err := r.wait()
				if want := name != "Stop"; errors.Is(err, errNoLuck) != want || (err != nil) != want {
					t.Errorf("Run: %v", err)
				}
				nobodyLeft(t, r.dir)
			})
		}
	})
}

func TestG6_ContextsEndIsOrderly(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		c := r.dial()
		c.ask("hello")
		r.cancel()
		r.until("a draining worker", func(s Stats) bool { return strings.Contains(s.Letters, "G") })
		c.ask("still there?")
		c.say("bye")
		c.cut()
		if err := r.wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

// All that was opened is closed when the pool has ended.
func TestP38_EndedPoolLeavesNothing(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		before := ownDescriptors(t)
		for range 3 {
			r := twoWorkers.run(t, mode, nil)
			r.showing("__")
			_ = r.Shutdown()
			if err := r.wait(); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "as few descriptors as before", func() bool { return len(ownDescriptors(t)) <= len(before) })
	})
}

func ownDescriptors(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(l string) bool { to, err := os.Readlink(l); return err != nil || strings.HasPrefix(to, "/proc") })
}
