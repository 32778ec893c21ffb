//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const quick = 20 * time.Millisecond // for CheckSpares

func unixAddress(dir string) string { return "unix://" + filepath.Join(dir, "s") }

// twoWorkers are exactly two, for good, on two listeners.
var twoWorkers = pool("two", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0", unixAddress(dir)}, StartServers: 2, MaxClients: 2,
		MaxRequests: Unlimited, CheckSpares: quick, Server: serveLines,
	}
})

func TestP10_P55_P74_WorkersServeEveryListener(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		r.showing("__")
		for _, a := range r.Addrs() {
			one, two := dial(t, a.Network(), a.String()), dial(t, a.Network(), a.String())
			pids := []int{one.pid(), two.pid(), os.Getpid()}
			if slices.Sort(pids); len(slices.Compact(pids)) != 3 {
				t.Errorf("%v: pids %v; want two workers beside the master", a, pids)
			}
			if got := one.ask("hello"); got != "hello" {
				t.Errorf("echo is %q", got)
			}
			_, _ = one.Close(), two.Close()
			r.showing("__")
		}
		if s := r.stats(); s.Started != 2 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestP65_ClientWaitsWhileAllAreBusy(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		one, two := r.dial(), r.dial()
		pid := one.pid()
		two.pid()
		r.showing("WW")
		late := r.dial()
		late.say("pid")
		_ = late.SetReadDeadline(time.Now().Add(5 * quick))
		if b, err := late.r.Peek(1); !os.IsTimeout(err) {
			t.Fatalf("read %q, %v; want nothing while both workers are busy", b, err)
		}
		_ = late.SetReadDeadline(time.Now().Add(patience))
		_ = one.Close()
		if got := late.answer(); got != fmt.Sprint(pid) {
			t.Errorf("served by %s, want %d, which became free", got, pid)
		}
	})
}

// Two clients come at the same moment through two doors: nobody waits behind a
// worker that was faster than itself.
func TestP65_NobodyWaitsBehindABusyWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		r.showing("__")
		for range 50 {
			var all sync.WaitGroup
			var clients []*client
			for _, a := range r.Addrs() {
				clients = append(clients, dial(t, a.Network(), a.String()))
			}
			for _, c := range clients {
				all.Go(func() {
					if _, err := fmt.Fprint(c, "hello\r\n"); err != nil {
						t.Error(err)
					}
					if s, err := c.r.ReadString('\n'); err != nil {
						t.Errorf("%q, %v\n%s", s, err, r.stats().Letters)
					}
				})
			}
			all.Wait() // both are served while both are open
			for _, c := range clients {
				_ = c.Close()
			}
			r.showing("__")
		}
	})
}

func TestP14_P16_P20_BusyShowsOnTheScoreboard(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		r.showing("__")
		c := r.dial()
		pid := c.pid()
		c.ask("again")
		s := r.showing("W_")
		i := slices.IndexFunc(s.Workers, func(w WorkerStatus) bool { return w.PID == pid })
		if i < 0 {
			t.Fatalf("no worker %d in %+v", pid, s)
		}
		if w := s.Workers[i]; w.State != StateBusy || w.Connections != 1 || w.Requests != 2 || w.Life != 1 {
			t.Errorf("the busy worker shows %+v", w)
		}
		if d, ok := r.k.Descriptions()["prefork"].(Status); !ok || len(d.Workers) != 2 {
			t.Errorf("the kernel describes %+v", r.k.Descriptions())
		}
		_ = c.Close()
		r.showing("__")
	})
}

var many = pool("many", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 1, MaxClients: 1, ConnsPerServer: Unlimited,
		MaxRequests: Unlimited, CheckSpares: quick, Server: serveLines,
	}
})

func TestP65_ConnsPerServer(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := many.run(t, mode, nil)
		first := r.dial().pid()
		for range 20 {
			if pid := r.dial().pid(); pid != first {
				t.Fatalf("served by %d and %d", first, pid)
			}
		}
		if w := r.stats().Workers[0]; w.Connections != 21 {
			t.Errorf("%+v", w)
		}
	})
}

var impatient = pool("impatient", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 1, MaxClients: 1,
		ReadTimeout: 5 * quick, CheckSpares: quick, Server: serveLines,
	}
})

func TestH_ReadTimeoutFreesAWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := impatient.run(t, mode, nil)
		for range 3 {
			r.dial().cut() // it never says anything
		}
		half := r.dial()
		_, _ = fmt.Fprint(half, "half a line")
		half.cut()
		if got := r.dial().ask("hello"); got != "hello" {
			t.Errorf("answer %q", got)
		}
	})
}

// Rubbish and clients that vanish cost the workers nothing.
func TestP66_RubbishLeavesWorkersAsTheyWere(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		before := descriptors(t, r.showing("__"))
		rubbish := []string{"", "half", "\x00\xff\xfe\r\n", "a\nb\r", string(make([]byte, 4096))}
		for i := range 1000 {
			a := r.Addrs()[i%2]
			conn, err := net.Dial(a.Network(), a.String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write([]byte(rubbish[i%len(rubbish)]))
			_ = conn.Close()
		}
		s := r.until("1000 connections", func(s Stats) bool {
			var sum uint64
			for _, w := range s.Workers {
				sum += w.Connections
			}
			return sum == 1000 && s.Letters == "__"
		})
		if s.Started != 2 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
		until(t, "as few descriptors as before", func() bool { return descriptors(t, s) <= before })
	})
}

func descriptors(t *testing.T, s Stats) (n int) {
	t.Helper()
	for _, w := range s.Workers {
		all, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", w.PID))
		if err != nil {
			t.Fatal(err)
		}
		n += len(all)
	}
	return n
}

// setUp is what the fork handler of withSetup leaves in a worker.
var setUp string

var withSetup = &program{
	name: "setup",
	before: func(k *kernel.Kernel) error {
		_, err := k.Spawn(session.New(session.Handle("fork", func(*kernel.Context) error {
			setUp += fmt.Sprintf("child %t", IsChild())
			return nil
		})), kernel.Alias("setup"))
		return err
	},
	configs: func(string) []Config {
		return []Config{{
			Listen: []string{"tcp://:0"}, StartServers: 2, MaxClients: 2, CheckSpares: quick,
			ForkHandlers: map[kernel.Address]string{"setup": "fork"}, Server: serveLines,
		}}
	},
}

func init() { programs[withSetup.name] = withSetup }

func TestP7_P40_ForkHandlersRunInEachWorkerBeforeItAccepts(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := withSetup.run(t, mode, nil)
		one, two := r.dial(), r.dial()
		if a, b := one.ask("setup"), two.ask("setup"); a != "child true" || b != a || one.pid() == two.pid() {
			t.Errorf("the fork handler left %q and %q", a, b)
		}
		if setUp != "" {
			t.Errorf("the fork handler ran in the master: %q", setUp)
		}
	})
}

// ordered is a pool whose workers write down what they do, and how they show on
// the scoreboard meanwhile.
var ordered = &program{name: "ordered", configs: func(dir string) []Config {
	note := func(w *Worker, what string) error {
		f, err := os.OpenFile(filepath.Join(dir, "order"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = fmt.Fprintln(f, what, w.estate.board.status(w.Slot()).State)
		return err
	}
	return []Config{{
		Listen: []string{"tcp://:0"}, StartServers: 1, MaxClients: 1, CheckSpares: quick,
		ForkHandlers: map[kernel.Address]string{"notes": "fork"},
		Server: func(c *kernel.Context, w *Worker) error {
			if _, err := c.Spawn(session.New(
				session.Handle("fork", func(*kernel.Context) error { return note(w, "fork handler") }),
				session.On(gotConn, func(_ *kernel.Context, conn net.Conn) error {
					defer conn.Close()
					return note(w, "connection")
				}),
			), kernel.Alias("notes")); err != nil {
				return err
			}
			w.Serve("notes", gotConn)
			return note(w, "server")
		},
	}}
}}

func init() { programs[ordered.name] = ordered }

// The server is built, the fork handlers are called, and only then the worker is
// ready and accepts: a client that came before has waited.
func TestP54_R20_OrderOfAStart(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := ordered.run(t, mode, nil)
		r.dial().cut()
		got, err := os.ReadFile(filepath.Join(r.dir, "order"))
		if want := "server starting\nfork handler starting\nconnection busy\n"; err != nil || string(got) != want {
			t.Errorf("%v, the order was:\n%swant:\n%s", err, got, want)
		}
	})
}

func TestP57_AddressInUseIsAnErrorBeforeAnyWorkerStarts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	k := kernel.New(kernel.Config{})
	path := filepath.Join(t.TempDir(), "s")
	cfg := Config{Listen: []string{"unix://" + path, "tcp://" + taken.Addr().String()}, Server: serveLines}
	_, err = New(k, cfg)
	var e *ListenError
	if !errors.As(err, &e) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("New: %v", err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the other listener's socket file is left")
	}
	if _, ok := k.Resolve("prefork"); ok {
		t.Error("there is a session all the same")
	}
}

func TestP42_NewRefusesWhatCannotWork(t *testing.T) {
	k := kernel.New(kernel.Config{})
	for field, cfg := range map[string]Config{
		"Server":       {},
		"StartServers": {Server: serveLines, StartServers: -1},
		"StartTimeout": {Server: serveLines, StartTimeout: -2},
	} {
		var e *ConfigError
		if _, err := New(k, cfg); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for what, k := range map[string]*kernel.Kernel{"nil": nil, "simulated": kernel.New(kernel.Config{Mode: kernel.Simulated})} {
		if _, err := New(k, Config{Server: serveLines}); !errors.Is(err, kernel.ErrArgument) || !strings.Contains(err.Error(), " is "+what+"; ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := New(k, Config{Server: serveLines}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(k, Config{Server: serveLines}); !errors.Is(err, kernel.ErrAliasTaken) {
		t.Errorf("a second pool of the name: %v", err)
	}
}
