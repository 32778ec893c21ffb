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
)

const (
	gotOut    kernel.Event[string]           = "got_out"
	gotErr    kernel.Event[string]           = "got_err"
	sentStdin kernel.Event[struct{}]         = "sent_stdin"
	exited    kernel.Event[*os.ProcessState] = "exited"
)

// parent is a session with one Run. It notes what the wheel tells it.
type parent struct {
	host
	cfg   wheel.RunConfig
	run   *wheel.Run
	begin func(c *kernel.Context) error
	out   func(c *kernel.Context, s string) error
}

func newParent(t *testing.T, cfg wheel.RunConfig) *parent {
	cfg.StdoutEvent, cfg.StderrEvent, cfg.ErrorEvent = gotOut, gotErr, failed
	cfg.ExitEvent, cfg.CloseEvent = exited, closed
	return &parent{host: host{t: t}, cfg: cfg}
}

func (p *parent) session(more ...session.State) *session.Session {
	return session.New(append(more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			if p.run, err = wheel.NewRun(c, p.cfg); err != nil || p.begin == nil {
				return err
			}
			return p.begin(c)
		}),
		session.On(gotOut, func(c *kernel.Context, s string) error {
			if p.out != nil {
				return p.out(c, s)
			}
			p.note("out %s", s)
			return nil
		}),
		session.On(gotErr, func(_ *kernel.Context, s string) error { p.note("err %s", s); return nil }),
		session.On(sentStdin, func(*kernel.Context, struct{}) error { p.note("stdin sent"); return nil }),
		session.On(failed, func(_ *kernel.Context, e *wheel.Error) error {
			p.note("%s %s %s", e.Op, e.Stream, cause(e))
			return nil
		}),
		session.On(exited, func(_ *kernel.Context, s *os.ProcessState) error { p.note("exit %v", s); return nil }),
		session.On(closed, func(_ *kernel.Context, err error) error { p.note("closed %s", cause(err)); return nil }),
	)...)
}

// wantSet compares events whose order is free, and insists on the last one.
func (p *parent) wantSet(last string, others ...string) {
	p.t.Helper()
	log := slices.Clone(p.log)
	want := append(slices.Clone(others), last)
	if n := len(log); n == 0 || log[n-1] != last {
		p.t.Errorf("last of %q, want %q", log, last)
	}
	slices.Sort(log)
	slices.Sort(want)
	if !slices.Equal(log, want) {
		p.t.Errorf("events, sorted:\n %q\nwant:\n %q", log, want)
	}
}

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

func TestRunConfigIsChecked(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		for field, cfg := range map[string]wheel.RunConfig{
			"Program":   {},
			"Shell":     {Program: []string{"cat"}, Shell: "cat"},
			"Program b": {Program: []string{""}},
			"Credit":    {Shell: "cat", Credit: -1},
			"MaxOutput": {Shell: "cat", MaxOutput: -1},
		} {
			_, err := k.Spawn(newParent(t, cfg).session())
			field, _, _ = strings.Cut(field, " ")
			if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "RunConfig."+field) {
				t.Errorf("%s: %v", field, err)
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
