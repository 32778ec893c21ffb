//go:build unix

package prefork

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
)

var upgraded = pool("upgraded", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0", unixAddress(dir)}, StartServers: 2, MaxClients: 3, MaxRequests: Unlimited,
		ConnsPerServer: 100, CheckSpares: quick, PIDFile: filepath.Join(dir, "pid"), Server: serveLines,
	}
})

// master waits for a PID file with another number than this one.
func (f *foreign) master(than int) (pid int) {
	f.t.Helper()
	until(f.t, "another master", func() bool {
		text, _ := os.ReadFile(filepath.Join(f.dir, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid != 0 && pid != than
	})
	return pid
}

// Clients hammer while one master takes over from the other, and lose nothing.
func TestIII18_UpgradeLosesNoConnection(t *testing.T) {
	f := upgraded.start(t, kernel.Parallel)
	first := f.master(0)
	old := f.dial(0)
	pid := old.pid()
	var done atomic.Bool
	var hammers sync.WaitGroup
	for i := range 4 {
		network, address, _ := strings.Cut(f.addrs[i%2], " ")
		hammers.Go(func() {
			for n := 0; !done.Load(); n++ {
				if err := visit(network, address); err != nil {
					t.Errorf("after %d connections to %s: %v", n, address, err)
					return
				}
			}
		})
	}
	f.signal(syscall.SIGUSR2)
	second := f.master(first)
	if old.ask("hello") != "hello" || old.pid() != pid {
		t.Error("the connection under way was disturbed")
	}
	old.say("bye")
	old.cut()
	if err := f.exits(); err != nil {
		t.Errorf("the old master ended with %v", err)
	}
	done.Store(true)
	hammers.Wait()
	for i := range 2 {
		c := f.dial(i)
		if c.ask("hello") != "hello" {
			t.Error("wrong answer")
		}
		_ = c.Close()
	}
	kill(t, second, syscall.SIGTERM)
	nobodyLeft(t, f.dir)
	for _, name := range []string{"pid", "s"} {
		if _, err := os.Lstat(filepath.Join(f.dir, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
}

func TestIII18_FailedUpgradeKeepsTheOldMaster(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link, script := filepath.Join(dir, "server"), filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no such release >&2\nexit 4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	f := upgraded.startAs(t, kernel.Parallel, link)
	first := f.master(0)
	c := f.dial(1)
	c.ask("hello")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(script, link); err != nil {
		t.Fatal(err)
	}
	f.signal(syscall.SIGUSR2)
	until(t, "a failed upgrade", func() bool {
		return strings.Contains(f.said(), "no such release") && strings.Contains(f.said(), "the old master goes on: exit status 4")
	})
	if c.ask("hello") != "hello" || f.dial(0).ask("hello") != "hello" || f.dial(1).ask("hello") != "hello" {
		t.Error("the old workers were disturbed")
	}
	if pid := f.master(0); pid != first || pid != f.Process.Pid {
		t.Errorf("the PID file holds %d, want %d", pid, first)
	}
}

// Two pools of one process cannot each start the whole program anew.
func TestIII18_UpgradeIsRefusedToSeveralPools(t *testing.T) {
	f := twoPools.start(t, kernel.Parallel)
	f.dial(0).ask("hello")
	f.signal(syscall.SIGUSR2)
	until(t, "a refusal", func() bool { return strings.Contains(f.said(), "several pools share this process") })
	if f.dial(1).ask("hello") != "hello" {
		t.Error("the workers were disturbed")
	}
}

func TestIII18_RubbishIsNoHandover(t *testing.T) {
	for text, want := range map[string]bool{
		`{"version":1,"name":"web","control":99,"listeners":[]}`: true,
		`{"version":2,"name":"web","control":99}`:                false,
		`{`: false,
		``:  false,
	} {
		t.Setenv(handoverVariable, text)
		s := readHandover()
		if (s != nil) != want {
			t.Errorf("%s: %v", text, s)
		}
		if _, set := os.LookupEnv(handoverVariable); set {
			t.Errorf("%s: programs run from here would take themselves for successors", text)
		}
		if s != nil && (s.inheritedBy("other") != nil || s.inheritedBy("web") != s || s.inheritedBy("web") != nil) {
			t.Error("an inheritance is for one pool, once")
		}
	}
}
