package prefork

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/kernel"
)

// short has two workers and notes each try to start one.
var short = pool("short", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 2, MinSpareServers: 2, MaxClients: 2, MaxRequests: Unlimited,
		KeepOnError: true, CheckSpares: quick, Server: serveLines,
		Tell: func() string {
			f, err := os.OpenFile(filepath.Join(dir, "tries"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err == nil {
				fmt.Fprintln(f)
				_ = f.Close()
			}
			return ""
		},
		Reopen: func() { limitProcesses(filepath.Join(dir, "processes")) },
	}
})

func init() {
	short.before = func(*kernel.Kernel) error {
		if !IsChild() {
			makeThreads(20)
		}
		return nil
	}
}

// limitProcesses sets this master's limit to what a file says, and back when there is none.
func limitProcesses(file string) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &l); err != nil || IsChild() {
		return
	}
	l.Cur = l.Max
	if text, err := os.ReadFile(file); err == nil {
		_, _ = fmt.Sscan(string(text), &l.Cur)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &l); err != nil {
		fmt.Fprintln(os.Stderr, "limitProcesses:", err)
	}
	fmt.Fprintln(os.Stderr, "processes:", l.Cur)
}

// makeThreads has Go's runtime make so many threads, which it keeps. One that it wants
// and does not get ends the process (runtime: failed to create new OS thread).
func makeThreads(n int) {
	var all, done sync.WaitGroup
	all.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			all.Done()
			all.Wait()
		})
	}
	done.Wait()
}

// nobody is a user that has no processes but those of the test.
const nobody = 47_110

// limit sets the soft limit of another process, and returns what lifts it again.
func limit(t *testing.T, pid, resource int, to uint64) (lift func()) {
	t.Helper()
	var was unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: to, Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	lift = func() { _ = unix.Prlimit(pid, resource, &was, nil) } // the process may be gone
	t.Cleanup(lift)
	return lift
}

// openFiles is how many a process has open.
func openFiles(t *testing.T, pid int) uint64 {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return uint64(len(all))
}

// No process can be created for this user: those there are serve, the next try waits
// longer each time, and when there is room again the pool is whole.
func TestP43_P57_P88_NoMoreProcesses(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("root alone can be another user, whom a limit on processes binds")
	}
	program := copyFile(t, os.Args[0])
	for _, dir := range []string{program, filepath.Dir(program), filepath.Dir(filepath.Dir(program))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := short.startAs(t, kernel.Parallel, program, func(f *foreign) {
		f.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chmod(f.dir, 0o777); err != nil {
			t.Fatal(err)
		}
	})
	one, two := f.dial(0), f.dial(0)
	pids := []int{one.pid(), two.pid()}
	tries := func() int {
		b, err := os.ReadFile(filepath.Join(f.dir, "tries"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return len(b)
	}
	before, began := tries(), time.Now()
	file := filepath.Join(f.dir, "processes")
	if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.signal(syscall.SIGUSR1)
	until(t, "the limit", func() bool { return strings.Contains(f.said(), "processes: 1\n") })
	kill(t, pids[0], syscall.SIGKILL)
	// Half of 250 ms and of 500 ms is the least that jitter leaves of the delays. There may
	// be one try more: that the other one has started well is seen meanwhile.
	const failures = 4
	until(t, "failed starts", func() bool { return tries() >= before+failures })
	if took := time.Since(began); took < 375*time.Millisecond {
		t.Errorf("%d tries in %v", failures, took)
	}
	if got := two.ask("hello"); got != "hello" {
		t.Errorf("who serves says %q", got)
	}
	for _, want := range []string{ErrSpawn.Error(), syscall.EAGAIN.Error(), "raise the limits on processes"} {
		until(t, fmt.Sprintf("standard error to say %q", want), func() bool { return strings.Contains(f.said(), want) })
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	f.signal(syscall.SIGUSR1)
	until(t, "a successor", func() bool { return len(processes(t, f.dir)) == 3 })
	three := f.dial(0)
	if pid := three.pid(); pid == pids[0] || pid == pids[1] {
		t.Errorf("worker %d serves, of %v", pid, pids)
	}
	for _, c := range []*client{two, three} {
		c.say("bye")
		c.cut()
	}
	f.signal(syscall.SIGTERM)
	if err := f.exits(); err != nil {
		t.Error(err)
	}
}

// The master has no descriptors left to start a worker with.
func TestP43_P88_NoMoreDescriptorsInTheMaster(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := short.run(t, mode, func(l *limits) { l.backoff = backoff{quick, 2 * quick} })
		r.showing("__")
		c := r.dial()
		pid := c.pid()
		var victim int
		for _, w := range r.stats().Workers {
			if w.PID != pid {
				victim = w.PID
			}
		}
		open := openFiles(t, os.Getpid())
		lift := limit(t, os.Getpid(), unix.RLIMIT_NOFILE, 3)
		kill(t, victim, syscall.SIGKILL)
		// More failures than the pool would bear if nobody served.
		until(t, "failed starts", func() bool { return r.status().Boots.Failures == r.status().Boots.GiveUp-1 })
		next := r.status().Boots.NextTry
		until(t, "another one", func() bool { return r.status().Boots.NextTry.After(next) })
		if got := c.ask("hello"); got != "hello" {
			t.Errorf("who serves says %q", got)
		}
		lift()
		r.showing("_W")
		until(t, "as few descriptors as before", func() bool { return openFiles(t, os.Getpid()) <= open+1 }) // the runtime's own, perhaps
		r.until("good starts", func(Stats) bool { return r.status().Boots.Failures == 0 })
	})
}

// A worker has none left to accept with: it waits without spinning, serves what it has,
// and takes who has waited when there are some.
func TestW49_NoMoreDescriptorsInAWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := lonely.run(t, mode, nil)
		r.showing("_")
		c := r.dial()
		pid := c.pid()
		lift := limit(t, pid, unix.RLIMIT_NOFILE, 3)
		waiting := r.dial()
		waiting.say("hello")
		used, began := cpuTime(t, pid), time.Now()
		until(t, "half a second", func() bool { return time.Since(began) > 500*time.Millisecond })
		if spent := cpuTime(t, pid) - used; spent > 200*time.Millisecond {
			t.Errorf("a worker that can do nothing has used a processor for %v of %v", spent, time.Since(began))
		}
		if got := c.ask("hello"); got != "hello" {
			t.Errorf("who is served says %q", got)
		}
		lift()
		if got := waiting.answer(); got != "hello" {
			t.Errorf("who has waited is told %q", got)
		}
		if s := r.stats(); s.Started != 1 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

var lonely = pool("lonely", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 1, MaxClients: 1, ConnsPerServer: Unlimited, MaxRequests: Unlimited,
		CheckSpares: quick, Server: serveLines,
	}
})

// cpuTime is how long a process has had processors; how its clock's number is made is
// in clock_getcpuclockid(3).
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}
