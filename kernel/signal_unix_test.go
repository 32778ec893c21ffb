//go:build unix

package kernel_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// The operating system's signals, for real: caught while somebody watches.
func TestSignal_FromTheOperatingSystem_K120(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			for sig, num := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1} {
				k := boot(t, m)
				k.spawn(table{
					"_start": func(c *kernel.Context) error {
						c.Lease("for ever")
						c.Sig(sig, "sig")
						return c.Yield("kill")
					},
					"kill": func(*kernel.Context) error { return syscall.Kill(os.Getpid(), num) },
					"sig": func(c *kernel.Context) error {
						k.note("%v", c.Arg(0))
						if sig == "USR1" {
							k.Stop()
						}
						return nil
					},
					"_stop": k.noting("stop"),
				})
				k.run()
				k.wantNotes(sig, "stop")
			}
		})
	}
}

// A watched process: reaped, told once to every watcher with its state and their
// arguments (K142, K144); a removed watch is not told (K143); a process that is
// not ours gives a nil state.
func TestSignal_SigChild_K142(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		cmd := exec.Command("sh", "-c", "read line; exit 3")
		in, err := cmd.StdinPipe()
		must(err)
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		pid := cmd.Process.Pid
		watcher := func(name string, more func(c *kernel.Context)) table {
			return table{
				"_start": func(c *kernel.Context) error {
					c.SigChild(pid, "ended", name)
					if more != nil {
						more(c)
					}
					return nil
				},
				"ended": func(c *kernel.Context) error {
					st, _ := c.Arg(2).(*os.ProcessState)
					k.note("%v %v %v %v", c.Arg(0), c.Arg(1) == pid, st.ExitCode(), c.Arg(3))
					return nil
				},
				"foreign": func(c *kernel.Context) error {
					st, ok := c.Arg(2).(*os.ProcessState)
					k.note("foreign %v %v", st == nil, ok)
					return nil
				},
			}
		}
		k.spawn(watcher("one", nil))
		k.spawn(watcher("two", func(c *kernel.Context) { c.SigChild(pid, "ended", "two again") }))
		k.spawn(watcher("three", func(c *kernel.Context) { c.SigChild(pid, "", nil); c.SigChild(pid, "") }))
		k.spawn(watcher("four", func(c *kernel.Context) {
			c.SigChild(pid, "")
			c.SigChild(os.Getppid(), "foreign")
		}))
		go in.Close()
		k.run()
		k.wantSet("CHLD true 3 one", "CHLD true 3 two again", "foreign true true")
	})
}

// A watcher that ends before the process does.
func TestSignal_SigChildWatcherEndsFirst(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		cmd := exec.Command("sleep", "3600")
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.SigChild(cmd.Process.Pid, "x"); return c.Yield("end") },
			"end":    func(c *kernel.Context) error { c.Stop(); return nil },
			"x":      k.noting("must not come"),
		})
		k.run()
		must(cmd.Process.Kill())
		k.wantNotes()
	})
}
