package wheel_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func TestW62_W64_CatEchoes(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"cat"}})
		p.cfg.StdinEvent = sentStdin
		p.begin = func(*kernel.Context) error {
			p.must(p.run.Put("one", "two"))
			p.run.CloseStdin()
			if err := p.run.Put("three"); !errors.Is(err, wheel.ErrClosed) {
				t.Errorf("Put after CloseStdin: %v", err)
			}
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed nil", "out one", "out two", "stdin sent", "exit exit status 0",
			"read STDOUT EOF", "read STDERR EOF")
	})
}

func TestW63_W64_StderrApartAndExitStatus(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "echo good; echo bad >&2; exit 3", NoStdin: true})
		run(t, k, p.session())
		p.wantSet("closed exit status 3", "out good", "err bad", "exit exit status 3",
			"read STDOUT EOF", "read STDERR EOF")
		if err := p.run.Kill(nil); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Kill after the end: %v", err)
		}
		if err := p.run.Put("x"); !errors.Is(err, wheel.ErrClosed) {
			t.Errorf("Put without stdin: %v", err)
		}
	})
}

// More than a pipe holds, and the process is gone before it was read.
func TestW64_T32_AllOutputBeforeClose(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const lines = 50_000
		p := newParent(t, wheel.RunConfig{Program: []string{"seq", fmt.Sprint(lines)}})
		n := 0
		p.out = func(_ *kernel.Context, s string) error {
			if n++; s != strconv.Itoa(n) {
				t.Errorf("line %d is %q", n, s)
			}
			return nil
		}
		run(t, k, p.session())
		if n != lines || p.log[len(p.log)-1] != "closed nil" {
			t.Errorf("%d lines, then %q; want %d", n, p.log, lines)
		}
	})
}

func TestW67_KillTakesTheGroup(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "sleep 1000 & echo $!; wait"})
		grandchild := 0
		p.out = func(_ *kernel.Context, s string) (err error) {
			if grandchild, err = strconv.Atoi(s); err != nil {
				return err
			}
			return p.run.Kill(nil)
		}
		run(t, k, p.session())
		// Both outputs are closed only when the grandchild has ended, too.
		p.wantSet("closed signal: terminated", "exit signal: terminated", "read STDOUT EOF", "read STDERR EOF")
		if grandchild == 0 {
			t.Error("no grandchild was seen")
		}
	})
}

func TestW68_MissingProgram(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		for program, want := range map[string]error{"no-such-program-here": exec.ErrNotFound, "/no/such/program": fs.ErrNotExist} {
			_, err := k.Spawn(newParent(t, wheel.RunConfig{Program: []string{program}}).session())
			var e *wheel.Error
			if !errors.As(err, &e) || e.Op != "start" || !errors.Is(err, want) {
				t.Errorf("%s: %v", program, err)
			}
		}
	})
}

func TestW75_PauseStdout(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"printf", "1\n2\n3\n"}})
		p.out = func(c *kernel.Context, s string) error {
			p.note("out %s", s)
			if s == "1" {
				p.run.PauseStdout()
				return carryOn.Yield(c, struct{}{})
			}
			return nil
		}
		run(t, k, p.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			p.note("resumed")
			p.run.ResumeStdout()
			return nil
		})))
		p.log = slices.DeleteFunc(p.log, func(s string) bool { return !strings.HasPrefix(s, "out") && s != "resumed" })
		p.want("out 1", "resumed", "out 2", "out 3")
	})
}

// The process itself stands still while an output that it fills is paused.
func TestW75_PauseStderrThrottles(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const size = 1 << 20
		p := newParent(t, wheel.RunConfig{Shell: "echo filling; head -c 1048576 /dev/zero >&2; echo full"})
		p.cfg.StderrEvent, p.cfg.Stderr = "", wheel.Decode(filter.Stream(), gotBytes)
		p.begin = func(*kernel.Context) error { p.run.PauseStderr(); return nil }
		p.out = func(c *kernel.Context, s string) error {
			p.note("%s after %d", s, min(len(p.bytes), 1))
			if s == "filling" {
				return carryOn.Yield(c, struct{}{})
			}
			return nil
		}
		turns := 0
		run(t, k, p.session(session.On(carryOn, func(c *kernel.Context, _ struct{}) error {
			if turns++; turns < 1000 { // time enough for a process that would not stand still
				return carryOn.Yield(c, struct{}{})
			}
			p.note("resumed after %d", len(p.bytes))
			p.run.ResumeStderr()
			return nil
		})))
		if len(p.bytes) != size {
			t.Errorf("%d bytes, want %d", len(p.bytes), size)
		}
		p.log = slices.DeleteFunc(p.log, func(s string) bool { return !strings.Contains(s, "after") })
		p.want("filling after 0", "resumed after 0", "full after 1")
	})
}

// A write to a process that is gone is an error of STDIN alone.
func TestW63_WriteError(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "exec <&-; echo deaf"})
		p.cfg.StderrEvent = ""
		p.out = func(*kernel.Context, string) error { return p.run.Put("nobody reads this") }
		run(t, k, p.session())
		p.wantSet("closed nil", "write STDIN broken pipe", "exit exit status 0", "read STDOUT EOF")
	})
}

// Close leaves the process alone: it sees the end of its input, and is reaped.
func TestW65_CloseDoesNotKill(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		witness, far, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer witness.Close()
		p := newParent(t, wheel.RunConfig{Shell: "cat >/dev/null; echo survived >&3", ExtraFiles: []*os.File{far}})
		p.begin = func(*kernel.Context) error {
			p.run.Close()
			return far.Close()
		}
		run(t, k, p.session())
		p.want()
		if s, err := bufio.NewReader(witness).ReadString('\n'); s != "survived\n" {
			t.Errorf("the process said %q, %v", s, err)
		}
	})
}

func TestW69_OwnProcessGroup(t *testing.T) {
	for _, shared := range []bool{false, true} {
		p := newParent(t, wheel.RunConfig{Program: []string{"cat"}, NoSetPgrp: shared})
		p.begin = func(*kernel.Context) error {
			pgid, err := syscall.Getpgid(p.run.PID())
			if leads := pgid == p.run.PID(); err != nil || leads == shared {
				t.Errorf("NoSetPgrp %v: group %d of process %d, %v", shared, pgid, p.run.PID(), err)
			}
			return p.run.Kill(syscall.SIGKILL)
		}
		run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
	}
}
