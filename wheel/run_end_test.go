package wheel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func notify(t *testing.T, c chan os.Signal, sig os.Signal) {
	signal.Notify(c, sig)
	t.Cleanup(func() { signal.Stop(c) })
}

// How a process ends is told once, and CloseEvent comes once and last, whichever of
// exit and outputs ends first.
func TestW64_G11_EarlyAndLateOutputs(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		// It closes its outputs, then waits for its input.
		p := newParent(t, wheel.RunConfig{Shell: "exec >&- 2>&-; read x; exit 4"})
		p.onFailed = func(*kernel.Context) error {
			if len(p.log) == 2 {
				p.must(p.run.Put("end"))
			}
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed exit status 4", "exit exit status 4", "read STDOUT EOF", "read STDERR EOF")
		if p.log[2] != "exit exit status 4" {
			t.Errorf("the exit came before the outputs' ends: %q", p.log)
		}

		// It leaves its outputs to a grandchild, which the group's Kill still reaches.
		p = newParent(t, wheel.RunConfig{Shell: "sleep 1000 & exit 5"})
		p.onExit = func(*kernel.Context) error { return p.run.Kill(syscall.SIGKILL) }
		run(t, k, p.session())
		p.wantSet("closed exit status 5", "exit exit status 5", "read STDOUT EOF", "read STDERR EOF")
		if p.log[0] != "exit exit status 5" {
			t.Errorf("an output ended before the grandchild did: %q", p.log)
		}
	})
}

// All that a process writes as its last act comes before CloseEvent.
func TestW64_LastActIsLong(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const size = 10 << 20
		p := newParent(t, wheel.RunConfig{Func: floodProgram, ProgramArgs: []string{"10485760"}})
		all := p.gather()
		run(t, k, p.session())
		p.wantSet("closed nil", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
		if n := len(all()); n != size {
			t.Errorf("%d bytes, want %d", n, size)
		}
	})
}

// A process that is killed in the middle of a record: what was whole came, the rest
// is dropped.
func TestW64_KilledInTheMiddleOfARecord(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := framed(t, wheel.RunConfig{Func: addProgram})
		p.begin = func(*kernel.Context) error {
			return wheel.PutTo(p.run, filter.Event(), filter.Frame{Name: "break", Args: []any{1, 2}})
		}
		run(t, k, p.session(session.On(gotFrame, func(_ *kernel.Context, f filter.Frame) error {
			p.note("sum %v", f.Args)
			return p.run.Kill(syscall.SIGKILL)
		})))
		p.wantSet("closed signal: killed", "sum [3]", "exit signal: killed", "read STDOUT EOF", "read STDERR EOF")
	})
}

// The process closes its input while much is queued for it: one error, no StdinEvent.
func TestW63_W66_InputClosedWhileQueued(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "read x; echo $x; exec <&-; echo deaf", StdinEvent: sentStdin})
		p.begin = func(*kernel.Context) error { return p.run.Put("hello", strings.Repeat("x", 1<<20)) }
		p.onFailed = func(*kernel.Context) error {
			if err := p.run.Put("more"); p.log[len(p.log)-1] == "write STDIN broken pipe" &&
				(!errors.Is(err, wheel.ErrClosed) || !errors.Is(err, syscall.EPIPE)) {
				t.Errorf("Put after the error: %v", err)
			}
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed nil", "out hello", "out deaf", "write STDIN broken pipe",
			"exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
	})
}

// heedless ignores SIGCHLD, for good, so that nobody can say how its processes end.
var heedless = wheel.Program("heedless", func([]string) error {
	signal.Ignore(syscall.SIGCHLD)
	p := newParent(nil, wheel.RunConfig{Shell: "echo out"})
	k := kernel.New(kernel.Config{})
	if _, err := k.Spawn(p.session()); err != nil {
		return err
	}
	err := k.Run(context.Background())
	slices.Sort(p.log[:len(p.log)-1])
	fmt.Println(strings.Join(p.log, "; "))
	return err
})

// The wheel ends in spite of that.
func TestW65_NobodyKnowsHowItEnded(t *testing.T) {
	p := newParent(t, wheel.RunConfig{Func: heedless})
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
	p.wantSet("closed nil", "out out out; read STDERR EOF; read STDOUT EOF; wait  no child processes; closed no child processes",
		"exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
}

// KillOnClose takes the group along with the wheel, however that is closed.
func TestW65_KillOnClose(t *testing.T) {
	for how, end := range map[string]func(c *kernel.Context, r *wheel.Run){
		"Close":         func(_ *kernel.Context, r *wheel.Run) { r.Close() },
		"session's end": func(c *kernel.Context, _ *wheel.Run) { c.Stop() },
		"kernel's end":  func(c *kernel.Context, _ *wheel.Run) { c.Kernel().Stop() },
	} {
		t.Run(how, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				witness, far, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer witness.Close()
				_ = witness.SetDeadline(time.Now().Add(patience))
				p := newParent(t, wheel.RunConfig{
					Shell: "trap '' TERM HUP; sleep 1000 & echo up; wait", KillOnClose: true, ExtraFiles: []*os.File{far},
				})
				p.out = func(c *kernel.Context, _ string) error {
					end(c, p.run)
					return far.Close()
				}
				run(t, k, p.session())
				p.want()
				if b, err := io.ReadAll(witness); len(b) > 0 || err != nil { // ends when nobody has the other end
					t.Errorf("%q, %v", b, err)
				}
			})
		})
	}
}

// Two hundred at once: each exit once, with its own status; no zombie and no
// descriptor is left.
func TestW64_W65_ManyProcesses(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const children = 200
		run(t, k, newParent(t, wheel.RunConfig{Program: []string{"true"}}).session()) // whatever is opened once
		runtime.GC()
		before := descriptors(t)
		type child struct{ status, exits, closes, lines int }
		table := map[kernel.WheelID]*child{}
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				for i := range children {
					r, err := wheel.NewRun(c, wheel.RunConfig{
						Shell: fmt.Sprintf("echo %d; exit %[1]d", i), NoStdin: true,
						StdoutEvent: gotOut, ExitEvent: exited, CloseEvent: closed,
					})
					if err != nil {
						return err
					}
					table[r.ID()] = &child{status: i}
				}
				return nil
			}),
			session.On(gotOut, func(c *kernel.Context, s string) error {
				if s == fmt.Sprint(table[c.Wheel()].status) {
					table[c.Wheel()].lines++
				}
				return nil
			}),
			session.On(exited, func(c *kernel.Context, s *os.ProcessState) error {
				if s.ExitCode() == table[c.Wheel()].status {
					table[c.Wheel()].exits++
				}
				return nil
			}),
			session.On(closed, func(c *kernel.Context, _ error) error { table[c.Wheel()].closes++; return nil }),
		))
		for id, c := range table {
			if *c != (child{c.status, 1, 1, 1}) {
				t.Errorf("wheel %d: %+v", id, *c)
			}
		}
		if len(table) != children {
			t.Errorf("%d processes", len(table))
		}
		if _, ok := settled(func() int { return len(zombies(t)) }, 0); !ok { // also of wheels that were closed before
			t.Errorf("zombies: %q", zombies(t))
		}
		if n, ok := settled(func() int { return descriptors(t) }, before); !ok {
			t.Errorf("%d descriptors, %d before", n, before)
		}
	})
}

// zombies are children of this process that ended and were not reaped.
func zombies(t *testing.T) (z []string) {
	t.Helper()
	files, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, f := range files {
		b, err := os.ReadFile("/proc/" + f.Name() + "/stat")
		if err != nil {
			continue // no process, or it is gone by now
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); fields[0] == "Z" && fields[1] == fmt.Sprint(os.Getpid()) {
			z = append(z, string(b))
		}
	}
	return slices.Clip(z)
}

// In CloseEvent's handler the files are closed: what is Put would be lost without a
// word.
func TestG11_W66_MethodsInTheLastEvent(t *testing.T) {
	for _, conduit := range []wheel.Conduit{wheel.ConduitPipe, wheel.ConduitPTY} {
		t.Run(string(conduit), func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				p := newParent(t, wheel.RunConfig{Program: []string{"echo", "hello"}, Conduit: conduit})
				p.cfg.StderrEvent = ""
				p.onClosed = func() {
					if err := p.run.Put("too late"); !errors.Is(err, wheel.ErrClosed) {
						t.Errorf("Put: %v", err)
					}
					if err := p.run.Resize(wheel.Winsize{}); conduit == wheel.ConduitPTY && !errors.Is(err, wheel.ErrClosed) {
						t.Errorf("Resize: %v", err)
					}
					if err := p.run.Kill(nil); !errors.Is(err, os.ErrProcessDone) {
						t.Errorf("Kill: %v", err)
					}
					p.run.CloseStdin()
					p.run.ResumeStdout()
					p.run.Close()
				}
				run(t, k, p.session())
				p.wantSet("closed nil", "out hello", "exit exit status 0", "read STDOUT EOF")
			})
		})
	}
}

// os/exec says of a directory that is not there that the program is not.
func TestW58_MissingDir(t *testing.T) {
	file := newFile(t, "").Name()
	for dir, want := range map[string]error{"/no/such/dir": os.ErrNotExist, file: syscall.ENOTDIR} {
		_, err := kernel.New(kernel.Config{}).Spawn(newParent(t, wheel.RunConfig{Program: []string{"true"}, Dir: dir}).session())
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "RunConfig.Dir") || !strings.Contains(err.Error(), dir) {
			t.Errorf("in %s: %v", dir, err)
		}
	}
}
