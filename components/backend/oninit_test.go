//go:build unix

package backend

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// TestB6_B7_B8_B20_PreforkedWorkers: each worker of a preforking program has a
// connection of its own, and the master none.
func TestB6_B7_B8_B20_PreforkedWorkers(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{})
	cmd := exec.CommandContext(deadline(t), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", forkVariable, port(s)))
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	services := func() map[string]int {
		st, err := s.State()
		if err != nil {
			t.Fatal(err)
		}
		return st.Services
	}
	until(t, "both workers have registered", func() bool { return len(services()) >= 2 })
	stop.Close()
	until(t, "they are gone", func() bool { st, err := s.State(); return err == nil && st.Connections == 0 })
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program: %v", err)
	}
	st, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range st {
		names[c.Name] = true
		if !strings.HasPrefix(c.Name, "worker") {
			t.Errorf("a connection of %q", c.Name)
		}
	}
	if len(names) != len(st) || len(st) < 2 {
		t.Errorf("connections %+v; want one for each worker", st)
	}
}

// TestB6_OpenedWhenTheKernelRuns: not before, and at once by one that runs.
func TestB6_OpenedWhenTheKernelRuns(t *testing.T) {
	s := doubler(t, running(t, kernel.Parallel), ServerConfig{})
	for _, m := range modes {
		k := kernel.New(kernel.Config{Mode: m})
		for _, alias := range []string{"", "second"} {
			if err := ConnectOnInit(k, Config{Port: port(s), Alias: alias, Name: m.String() + alias}); err != nil {
				t.Fatal(err)
			}
		}
		if err := ConnectOnInit(k, Config{}); !errors.Is(err, ErrArgument) {
			t.Errorf("without a port: %v", err)
		}
		if len(All(k)) != 0 {
			t.Error("opened before the kernel runs")
		}
		kerneltest.Start(t, k)
		until(t, "two are registered", func() bool {
			st, err := s.State()
			return err == nil && st.Services[m.String()] == 1 && st.Services[m.String()+"second"] == 1
		})
		if err := ConnectOnInit(k, Config{Port: port(s), Alias: "third", Name: m.String() + "third"}); err != nil {
			t.Fatal(err)
		}
		until(t, "the third is registered", func() bool { st, err := s.State(); return err == nil && st.Services[m.String()+"third"] == 1 })
		until(t, "all are known", func() bool { return len(All(k)) == 3 })
	}
}
