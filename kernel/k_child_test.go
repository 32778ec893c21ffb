//go:build unix

package kernel_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// process starts a shell that runs script.
func process(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	launch(t, cmd)
	return cmd
}

// waiting starts a process that lives until end is called.
func waiting(t *testing.T) (cmd *exec.Cmd, end func()) {
	t.Helper()
	cmd = exec.Command("cat")
	in, err := cmd.StdinPipe()
	must(err)
	launch(t, cmd)
	return cmd, func() { must(in.Close()) }
}

// A watched process: reaped, told once to every watcher with its state and their
// arguments (K142, K144); a removed watch is not told (K143); a process that is
// not ours gives a nil state.
func TestK142_K143_K144_SigChild(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		cmd := exec.Command("sh", "-c", "read line; exit 3")
		in, err := cmd.StdinPipe()
		must(err)
		launch(t, cmd)
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
func TestSigChild_WatcherEndsFirst(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		cmd := exec.Command("sleep", "3600")
		launch(t, cmd)
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

// Only the watched process is reaped. CHLD is the bare signal of the system: it
// has no pid, and reaps nothing.
func TestK145_K146_OnlyTheWatchedIsReaped(t *testing.T) {
	for _, m := range realModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			watched, other := process(t, "exit 3"), process(t, "exit 4")
			heard := 0
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					c.Sig("CHLD", "chld", "own")
					c.SigChild(watched.Process.Pid, "ended")
					third := process(t, "exit 5") // it ends after the watch of CHLD began
					c.SigChild(third.Process.Pid, "ended")
					return nil
				},
				"chld": func(c *kernel.Context) error {
					if heard++; !slices.Equal(c.Args(), []any{"CHLD", "own"}) {
						t.Errorf("CHLD's arguments: %v", c.Args())
					}
					return nil
				},
				"ended": func(c *kernel.Context) error { k.note("%v", c.Arg(2)); return c.Yield("until CHLD") },
				"until CHLD": func(c *kernel.Context) error {
					if heard == 0 {
						c.Delay("until CHLD", time.Millisecond)
					}
					return nil
				},
			})
			k.run2() // a CHLD may still be on its way
			k.wantSet("exit status 3", "exit status 5")
			var exit *exec.ExitError
			if err := other.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 4 {
				t.Errorf("the process that nobody watched: %v, want its exit status", err)
			}
			if err := watched.Wait(); err == nil {
				t.Error("the watched process was not reaped")
			}
		})
	}
}

// A process may be watched after it has ended, in any later handler, as long as
// nobody else waits for it.
func TestK147_T15_WatchedAfterItsEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("fork") },
			"fork": func(c *kernel.Context) error {
				cmd := exec.Command("sh", "-c", "echo; exit 7")
				out, err := cmd.StdoutPipe()
				must(err)
				launch(t, cmd)
				_, err = io.ReadAll(out) // it has closed its output: it ends, or has ended
				must(err)
				return c.Yield("watch", cmd.Process.Pid)
			},
			"watch": func(c *kernel.Context) error { c.SigChild(c.Arg(0).(int), "ended", c.Arg(0)); return nil },
			"ended": func(c *kernel.Context) error {
				k.note("%v %v %v", c.Arg(0), c.Arg(1) == c.Arg(3), c.Arg(2))
				return nil
			},
		})
		k.run()
		k.wantNotes("CHLD true exit status 7")
	})
}

// A watched process keeps IDLE away, until its event was handled. A watch of CHLD
// does not, and holds nobody.
func TestK148_ProcessesAndIDLE(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		cmd, end := waiting(t)
		k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
			"idle":   k.noting("IDLE"),
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.SigChild(cmd.Process.Pid, "ended")
				c.DelayAdd("end", 3*time.Millisecond)
				return nil
			},
			"end":   func(*kernel.Context) error { k.note("it is to end"); end(); return nil },
			"ended": k.noting("it has ended"),
			"_stop": k.noting("its watcher stops"),
		})
		k.run()
		k.wantNotes("it is to end", "it has ended", "its watcher stops", "IDLE")

		k.notes = nil
		other, end := waiting(t)
		k.spawn(table{"_start": func(c *kernel.Context) error { c.Sig("CHLD", "chld"); return nil }, "_stop": k.noting("not held")})
		k.service(table{"_start": func(c *kernel.Context) error { c.Sig("CHLD", "chld"); return nil }, "_stop": k.noting("idle")})
		k.run()
		k.wantNotes("not held", "idle")
		end()
		if err := other.Wait(); err != nil { // it lived all the time
			t.Errorf("the process nobody watched: %v", err)
		}
	})
}

// What is told is the end of a process, by exit or signal, and not that it was
// stopped and went on. Other processes are run and waited for meanwhile.
func TestK149_EndsOnly(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		cmd, _ := waiting(t)
		pid := cmd.Process.Pid
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.SigChild(pid, "ended")
				c.Sig("CHLD", "chld")
				return c.Yield("go")
			},
			"chld": nop.none,
			"go": func(c *kernel.Context) error {
				must(syscall.Kill(pid, syscall.SIGSTOP))
				var ws syscall.WaitStatus
				if _, err := syscall.Wait4(pid, &ws, syscall.WUNTRACED, nil); err != nil || !ws.Stopped() {
					t.Errorf("the process was not stopped: %v", err)
				}
				var exit *exec.ExitError
				if err := exec.Command("sh", "-c", "exit 9").Run(); !errors.As(err, &exit) || exit.ExitCode() != 9 {
					t.Errorf("another process: %v", err)
				}
				must(syscall.Kill(pid, syscall.SIGCONT))
				k.note("goes on")
				c.Delay("kill", 2*time.Millisecond)
				return nil
			},
			"kill": func(*kernel.Context) error { k.note("killed"); return syscall.Kill(pid, syscall.SIGKILL) },
			"ended": func(c *kernel.Context) error {
				ws := c.Arg(2).(*os.ProcessState).Sys().(syscall.WaitStatus)
				k.note("ended by %v", ws.Signal())
				return nil
			},
		})
		k.run2() // a CHLD may still be on its way
		k.wantNotes("goes on", "killed", "ended by killed")
	})
}
