//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// soak is a program under load, and what is done to it.
type soak struct {
	*load
	t        *testing.T
	dir      string
	listen   string
	rest     int64    // requests that go by between two faults
	socket   *os.File // of the service manager's
	stderr   *os.File
	children sync.WaitGroup // masters that this process has started

	killed int // workers of the present master

	order []string                   // of took
	took  map[string][]time.Duration // by what was done
}

func newSoak(t *testing.T, listen string, rest int64) *soak {
	t.Helper()
	processes(t, "")                      // skips where they cannot be seen
	dir, err := os.MkdirTemp("", "usher") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, dir: dir, listen: listen, rest: rest, took: map[string][]time.Duration{}}
	t.Cleanup(s.clear)
	if s.stderr, err = os.Create(filepath.Join(dir, "stderr")); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(listen, "systemd:") {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if s.socket, err = ln.(*net.TCPListener).File(); err != nil {
			t.Fatal(err)
		}
	}
	s.start()
	var addr string
	if err := s.tell("Addr", &addr); err != nil {
		t.Fatal(err)
	}
	s.load = newLoad(t, addr)
	return s
}

// start starts a master and waits for its workers.
func (s *soak) start() {
	s.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), soakVariable+"="+s.listen, dirVariable+"="+s.dir, "GORACE=atexit_sleep_ms=0")
	if s.socket != nil { // LISTEN_PID is known in the process only
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0]}
		cmd.Env = append(cmd.Env, "LISTEN_FDS=1")
		cmd.ExtraFiles = []*os.File{s.socket}
	}
	cmd.Stderr = s.stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.children.Go(func() {
		if err := cmd.Wait(); err != nil && cmd.ProcessState.String() != "signal: killed" {
			s.t.Errorf("a master ended with %v", err)
		}
	})
	s.killed = 0
	s.settled("a master with workers", func(st Status) bool { return st.PID == cmd.Process.Pid && all(st, 1) })
}

// clear ends what is left of a failed test.
func (s *soak) clear() {
	for _, pid := range processes(s.t, s.dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	nobodyLeft(s.t, s.dir)
	s.children.Wait()
	if said, _ := os.ReadFile(filepath.Join(s.dir, "stderr")); s.t.Failed() {
		s.t.Logf("%s", said)
	}
	for _, f := range []*os.File{s.stderr, s.socket} {
		_ = f.Close()
	}
	_ = os.RemoveAll(s.dir)
}

// tell gives an order to the youngest master.
func (s *soak) tell(what string, reply any) error {
	conn, err := rpc.Dial("unix", ordersPath(s.dir))
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Call("Master."+what, patience, reply)
}

// until waits for a master to show something.
func (s *soak) until(what string, ok func(Status) bool) (st Status) {
	s.t.Helper()
	until(s.t, what, func() bool {
		st = Status{}
		return s.tell("Status", &st) == nil && ok(st)
	})
	return st
}

// settled is until, and nobody was lost but those who were killed.
func (s *soak) settled(what string, ok func(Status) bool) {
	s.t.Helper()
	if st := s.until(what, ok); st.Lost > s.killed {
		s.t.Errorf("%d workers were lost, %d of them killed here", st.Lost, s.killed)
	}
}

// all tells whether the workers of a generation serve, and no others are left.
func all(st Status, generation int) bool {
	others := slices.ContainsFunc(st.Workers, func(w WorkerStatus) bool { return w.Generation != generation })
	return st.Generation == generation && !others && len(serving(st)) == soakWorkers
}

func serving(st Status) []WorkerStatus {
	return slices.DeleteFunc(slices.Clone(st.Workers), func(w WorkerStatus) bool {
		return w.State != StateIdle && w.State != StateBusy
	})
}

func (s *soak) now() Status { return s.until("a master", func(Status) bool { return true }) }

func (s *soak) gone(pid int) {
	s.t.Helper()
	until(s.t, "a master's end", func() bool { return !slices.Contains(processes(s.t, s.dir), pid) })
}

// times does something so many times, with s.rest after each.
func (s *soak) times(what string, n int, do func()) {
	s.t.Helper()
	for range n {
		do()
		had := s.requests.Load()
		until(s.t, "more answers", func() bool { return s.requests.Load() >= had+s.rest })
		if s.t.Failed() {
			s.t.FailNow()
		}
	}
	s.t.Logf("%s: done %d times, after %d requests", what, n, s.requests.Load())
}

// record keeps how long something took.
func (s *soak) record(what string, since time.Time) {
	if len(s.took[what]) == 0 {
		s.order = append(s.order, what)
	}
	s.took[what] = append(s.took[what], time.Since(since))
}

// reload replaces all workers, the load going on.
func (s *soak) reload() {
	s.t.Helper()
	was, began, done := s.now(), time.Now(), false
	if err := s.tell("Reload", &done); err != nil {
		s.t.Fatal(err)
	}
	s.record("Pool.Reload", began)
	s.settled("the end of the old workers", func(st Status) bool { return all(st, was.Generation+1) })
	s.record("until the old workers were gone", began)
}

func (s *soak) upgrade() {
	s.t.Helper()
	was, began, done := s.now(), time.Now(), false
	if err := s.tell("Upgrade", &done); err != nil {
		s.t.Fatal(err)
	}
	s.record("Pool.Upgrade", began)
	s.gone(was.PID)
	s.record("until the old master was gone", began)
	s.killed = 0
	s.settled("a master and its workers", func(st Status) bool { return st.PID != was.PID && all(st, 1) })
}

// killWorker costs at most what one worker does at the same time.
func (s *soak) killWorker() {
	s.t.Helper()
	ready := serving(s.until("somebody to kill", func(st Status) bool { return len(serving(st)) > 0 }))
	victim := ready[rand.IntN(len(ready))]
	f := s.begin("worker killed", soakConns)
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
		s.over(f)
		s.killWorker() // it had served its time: another one
		return
	} else if err != nil {
		s.t.Fatal(err)
	}
	there := func(w WorkerStatus) bool { return w.PID == victim.PID }
	s.until("a worker's end", func(st Status) bool { return !slices.ContainsFunc(st.Workers, there) })
	s.over(f)
	s.killed++
	s.settled("a replacement", func(st Status) bool { return all(st, st.Generation) })
	s.record("until a killed worker was replaced", f.from)
}

// restart drains the whole and starts it again. Nobody is refused meanwhile: the
// socket stays open here.
func (s *soak) restart() {
	s.t.Helper()
	was, began := s.now(), time.Now()
	kill(s.t, was.PID, syscall.SIGTERM)
	s.gone(was.PID)
	s.record("drain of the whole", began)
	s.start()
	s.record("drain and restart", began)
}

// killMaster leaves workers that finish what they have, for orphanGrace at most.
func (s *soak) killMaster() {
	s.t.Helper()
	was, began := s.now(), time.Now()
	f := s.begin("master killed", soakWorkers*soakConns)
	kill(s.t, was.PID, syscall.SIGKILL)
	nobodyLeft(s.t, s.dir)
	took := time.Since(began)
	s.record("until a killed master's workers were gone", began)
	s.over(f)
	if took > orphanGrace {
		s.t.Errorf("the last worker ended %v after the master, want %v at most", took, orphanGrace)
	}
	s.start()
}

// end ends the load, then the program, and prints the figures.
func (s *soak) end() {
	s.t.Helper()
	requests, d := s.load.end()
	kill(s.t, s.now().PID, syscall.SIGTERM)
	nobodyLeft(s.t, s.dir)
	s.t.Logf("%d requests in %v, %.0f/s; %d of them on kept connections, %d of which were lost and repeated; answered by %d workers",
		requests, d.Round(time.Millisecond), float64(requests)/d.Seconds(), s.kept.Load(), s.repeats.Load(), len(s.starts))
	for _, what := range slices.Sorted(maps.Keys(s.excepted)) {
		s.t.Logf("%s: %d requests", what, s.excepted[what])
	}
	for _, f := range s.costs() {
		s.t.Logf("%s: %d requests at most each time", f.what, f.lost)
		if f.lost > f.most {
			s.t.Errorf("one has cost %d requests, want %d at most", f.lost, f.most)
		}
	}
	for _, what := range s.order {
		s.t.Logf("%s: %s", what, times(s.took[what]))
	}
	s.t.Logf("a worker's start: %s", times(s.started()))
}

// times are the middle one and the longest of durations.
func times(all []time.Duration) string {
	slices.Sort(all)
	if len(all) == 0 {
		return "none"
	}
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	return fmt.Sprintf("%d, median %v, longest %v", len(all), round(all[len(all)/2]), round(all[len(all)-1]))
}
