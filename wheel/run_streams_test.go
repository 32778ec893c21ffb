package wheel_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// quiet is a parent whose process has no event for either output.
func quiet(t *testing.T, cfg wheel.RunConfig) *parent {
	p := newParent(t, cfg)
	p.cfg.StdoutEvent, p.cfg.StderrEvent = "", ""
	return p
}

func newFile(t *testing.T, text string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

func wantFile(t *testing.T, name, want string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || string(b) != want {
		t.Errorf("file holds %q, %v; want %q", b, err, want)
	}
}

func TestW71_Redirects(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		in, out, errs := newFile(t, "input"), newFile(t, "what was there, and longer"), newFile(t, "")
		p := quiet(t, wheel.RunConfig{
			Shell:          "cat; echo; echo bad >&2",
			RedirectStdin:  wheel.Redirect{Name: in.Name()},
			RedirectStdout: wheel.Redirect{Name: out.Name()},
			RedirectStderr: wheel.Redirect{File: errs},
		})
		p.begin = func(*kernel.Context) error {
			if err := p.run.Put("x"); !errors.Is(err, wheel.ErrClosed) {
				t.Errorf("Put to a redirected input: %v", err)
			}
			p.run.CloseStdin()
			return nil
		}
		run(t, k, p.session())
		p.want("exit exit status 0", "closed nil")
		wantFile(t, out.Name(), "input\n")
		wantFile(t, errs.Name(), "bad\n")
		if _, err := errs.WriteString("still ours"); err != nil {
			t.Errorf("the caller's file: %v", err)
		}
	})
}

func TestW71_OneFileForBothOutputs(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		both := filepath.Join(t.TempDir(), "new")
		p := quiet(t, wheel.RunConfig{
			Shell: "echo one; echo two >&2; echo three", NoStdin: true, RedirectOutput: wheel.Redirect{Name: both},
		})
		run(t, k, p.session())
		p.want("exit exit status 0", "closed nil")
		wantFile(t, both, "one\ntwo\nthree\n")
	})
}

// One output may have an event while the other is redirected.
func TestW71_EventBesideRedirect(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		errs := newFile(t, "")
		p := newParent(t, wheel.RunConfig{
			Shell: "echo good; echo bad >&2", NoStdin: true, RedirectStderr: wheel.Redirect{File: errs},
		})
		p.cfg.StderrEvent = ""
		run(t, k, p.session())
		p.wantSet("closed nil", "out good", "exit exit status 0", "read STDOUT EOF")
		wantFile(t, errs.Name(), "bad\n")
	})
}

// A file that cannot be opened is the constructor's error, and nothing stays open.
func TestW58_MissingRedirect(t *testing.T) {
	before := descriptors(t)
	p := newParent(t, wheel.RunConfig{Shell: "true", RedirectStderr: wheel.Redirect{Name: "/no/such/file"}})
	p.cfg.StderrEvent = ""
	_, err := kernel.New(kernel.Config{}).Spawn(p.session())
	var e *wheel.Error
	if !errors.As(err, &e) || e.Op != "start" || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("missing file: %v", err)
	}
	p = newParent(t, wheel.RunConfig{Program: []string{"/no/such/program"}})
	if _, err := kernel.New(kernel.Config{}).Spawn(p.session()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing program: %v", err)
	}
	if n, ok := settled(func() int { return descriptors(t) }, before); !ok {
		t.Errorf("%d descriptors, %d before", n, before)
	}
}

// Standard output may be any file: an output without an event goes there, wherever
// it was moved to.
func TestW72_W77_InheritedOutput(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		defer func(out *os.File) { os.Stdout = out }(os.Stdout)
		os.Stdout = newFile(t, "")
		p := quiet(t, wheel.RunConfig{Shell: "echo passed through", NoStdin: true})
		run(t, k, p.session())
		p.want("exit exit status 0", "closed nil")
		wantFile(t, os.Stdout.Name(), "passed through\n")
	})
}

func TestW77_ClosedOutputIsNotInherited(t *testing.T) {
	defer func(out *os.File) { os.Stdout = out }(os.Stdout)
	os.Stdout = newFile(t, "")
	os.Stdout.Close()
	_, err := kernel.New(kernel.Config{}).Spawn(quiet(t, wheel.RunConfig{Shell: "true"}).session())
	if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "RunConfig.StdoutEvent") {
		t.Errorf("with a closed standard output: %v", err)
	}
	p := quiet(t, wheel.RunConfig{Shell: "true", RedirectStdout: wheel.Redirect{Name: os.DevNull}})
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
	p.want("exit exit status 0", "closed nil")
}

// Only the default input is a pipe that waits: with NoStdin it is at its end.
func TestW72_NoStdin(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"cat"}, NoStdin: true})
		run(t, k, p.session())
		p.wantSet("closed nil", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
	})
}
