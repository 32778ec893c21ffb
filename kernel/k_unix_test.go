//go:build unix

package kernel_test

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// K6: after Run has returned, another one has everything again: handles, processes,
// timers and signals.
func TestK6_TheSecondRunHasEverything(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		for range 3 {
			r, w, err := os.Pipe()
			must(err)
			child := exec.Command("true")
			launch(t, child)
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					c.SigChild(child.Process.Pid, "ended")
					c.Sig("NEWS", "news")
					c.Delay("timer", time.Millisecond)
					must(c.Signal(c.Self(), "NEWS"))
					_, err := w.WriteString("x")
					must(err)
					return c.SelectRead(r, "readable")
				},
				"readable": func(c *kernel.Context) error {
					k.note("readable")
					return c.SelectRead(r, "")
				},
				"ended": func(c *kernel.Context) error {
					k.note("ended %v", c.Arg(2).(*os.ProcessState).Success())
					return nil
				},
				"news":  k.noting("news"),
				"timer": k.noting("timer"),
			})
			k.run()
			k.wantSet("readable", "ended true", "news", "timer")
			k.notes = nil
			must(r.Close())
			must(w.Close())
		}
	})
}

// K12: a session that yields for ever does not starve handles.
func TestK12_EndlessYieldDoesNotStarveHandles(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r, w, err := os.Pipe()
		must(err)
		defer r.Close()
		defer w.Close()
		k := boot(t, m, workers(1))
		spins, read := 0, false
		k.spawn(table{
			"_start": func(c *kernel.Context) error { must(c.SelectRead(r, "readable")); return c.Yield("spin") },
			"spin": func(c *kernel.Context) error {
				if read {
					return nil
				}
				if spins++; spins == 100 {
					_, err := w.WriteString("x")
					must(err)
				}
				return c.Yield("spin")
			},
			"readable": func(c *kernel.Context) error { read = true; return c.SelectRead(r, "") },
		})
		k.run()
	})
}

// K20 differs: a kernel leaves the program's signals alone, all of them, as long as
// no session watches one.
func TestK20_SignalsAreTheProgramsOwn(t *testing.T) {
	mine := make(chan os.Signal, 1)
	signal.Notify(mine, syscall.SIGUSR2)
	defer signal.Stop(mine)
	signal.Ignore(syscall.SIGUSR1)
	defer signal.Reset(syscall.SIGUSR1)
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); return c.Yield("go") },
			"go": func(*kernel.Context) error {
				for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2} {
					must(syscall.Kill(os.Getpid(), sig))
				}
				expect[os.Signal](t, "the program's own watch", <-mine, syscall.SIGUSR2)
				expect(t, "USR1 still ignored", signal.Ignored(syscall.SIGUSR1), true)
				return nil
			},
		})
		k.run()
		expect(t, "USR1 ignored after Run", signal.Ignored(syscall.SIGUSR1), true)
	})
}

// K46 differs: of a process that is not there, or not ours, the watcher hears at
// once, with a nil state, and lives no longer for it.
func TestK46_ProcessThatIsNotThere(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("IDLE", "idle")
				c.SigChild(noProcess, "ended", "own")
				return nil
			},
			"ended": func(c *kernel.Context) error {
				st, ok := c.Arg(2).(*os.ProcessState)
				k.note("%v %v %v %v %v", c.Arg(0), c.Arg(1) == noProcess, st == nil, ok, c.Arg(3))
				return nil
			},
			"idle":  k.noting("must not come"),
			"_stop": k.noting("stop"),
		})
		k.run()
		k.wantNotes("CHLD true true true own", "stop")
	})
}
