package wheel_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

func TestW57_ProgramArgs(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		args := []string{"b c", "$HOME; exit 3"}
		for want, cfg := range map[string]wheel.RunConfig{
			"<a><b c><$HOME; exit 3>":           {Program: []string{"printf", "<%s>", "a"}},
			"<d><b c><$HOME; exit 3>":           {Shell: "printf '<%s>' d"},
			"args b c|$HOME; exit 3 false none": {Func: argsProgram, Env: []string{"COLOUR=none", "USHER_PROGRAM=cat", "GORACE=atexit_sleep_ms=0"}},
		} {
			cfg.ProgramArgs, cfg.NoStdin = args, true
			p := newParent(t, cfg)
			all := p.gather()
			run(t, k, p.session())
			if got := strings.TrimSuffix(all(), "\n"); got != want || p.log[len(p.log)-1] != "closed nil" {
				t.Errorf("%q, then %q; want %q", got, p.log, want)
			}
		}
	})
}

// A function's directory and environment are those of any program.
func TestW57_FunctionRunsInDir(t *testing.T) {
	t.Setenv("COLOUR", "green")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := newParent(t, wheel.RunConfig{Func: argsProgram, Dir: dir, ProgramArgs: []string{"x"}, NoStdin: true})
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
	p.wantSet("closed nil", "out args x false green", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
}

func TestW68_FunctionsEnd(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Func: catProgram})
		p.begin = func(*kernel.Context) error {
			p.must(p.run.Put("meow"))
			p.run.CloseStdin()
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed nil", "out meow", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")

		p = newParent(t, wheel.RunConfig{Func: failProgram})
		run(t, k, p.session())
		p.wantSet("closed exit status 255", "err no luck", "err today", "exit exit status 255", "read STDOUT EOF", "read STDERR EOF")

		p = newParent(t, wheel.RunConfig{Func: panicProgram})
		run(t, k, p.session())
		if !slices.Contains(p.log, "err panic: out of order") || p.log[len(p.log)-1] != "closed exit status 2" {
			t.Errorf("after a panic: %q", p.log)
		}
	})
}

// Descriptors of this process do not get into the function's; ExtraFiles do.
func TestW76_OnlyExtraFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "private")
	private, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	extra, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	if _, err := far.WriteString("for you"); err != nil {
		t.Fatal(err)
	}
	far.Close()
	p := newParent(t, wheel.RunConfig{Func: filesProgram, ProgramArgs: []string{name}, ExtraFiles: []*os.File{extra}})
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
	p.wantSet("closed nil", "out for you false", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
}

func TestProgramIsChecked(t *testing.T) {
	nothing := func([]string) error { return nil }
	for want, register := range map[string]func(){
		"name is empty":   func() { wheel.Program("", nothing) },
		"function nil":    func() { wheel.Program("new", nil) },
		"name is taken":   func() { wheel.Program(catProgram, nothing) },
		"was called befo": func() { wheel.Program("late", nothing) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.Contains(s, want) {
					t.Errorf("panic %v, want %q", s, want)
				}
			}()
			register()
		}()
	}
	_, err := kernel.New(kernel.Config{}).Spawn(newParent(t, wheel.RunConfig{Func: "late"}).session())
	if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), `"late", which is not registered`) {
		t.Errorf("unknown function: %v", err)
	}
}

const forgetfulVariable = "USHER_TEST_FORGETFUL"

// Where RunPrograms was not called, a function's process would run main instead,
// and start the next one: NewRun refuses.
func TestForgottenRunPrograms(t *testing.T) {
	if os.Getenv(forgetfulVariable) != "" {
		k := kernel.New(kernel.Config{})
		_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
			_, err := wheel.NewRun(c, wheel.RunConfig{Func: catProgram})
			return err
		})))
		if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "RunPrograms was not called") {
			t.Errorf("NewRun: %v", err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestForgottenRunPrograms$", "-test.v")
	cmd.Env = append(os.Environ(), forgetfulVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestForgottenRunPrograms") {
		t.Errorf("%v:\n%s", err, out)
	}
}
