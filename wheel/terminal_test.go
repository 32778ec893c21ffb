package wheel_test

import (
	"bufio"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// newTerminalParent is newParent with a terminal, which has no error output.
func newTerminalParent(t *testing.T, cfg wheel.RunConfig) *parent {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	master.Close()
	slave.Close()
	cfg.Conduit = wheel.ConduitPTY
	p := newParent(t, cfg)
	p.cfg.StderrEvent = ""
	return p
}

func TestW60_W61_W63_W69_RawTerminal(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Func: terminalFacts})
		run(t, k, p.session())
		// One output, in order; its end is no error, though the system says EIO.
		p.wantSet("closed nil", "out true true true canonical false echo false leads true", "out complaint",
			"exit exit status 0", "read STDOUT EOF")
	})
}

func TestW60_SeparateErrorPipe(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{
			Func: terminalFacts, Cooked: true, SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, // which would fail
		})
		p.cfg.Conduit, p.cfg.StderrEvent = wheel.ConduitPTYPipe, gotErr
		run(t, k, p.session())
		p.wantSet("closed nil", "out true true false canonical true echo true leads true\r", "err complaint",
			"exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
	})
}

func TestW61_Winsize(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Func: winsizeProgram, Winsize: wheel.Winsize{Rows: 24, Cols: 80}})
		sizes := []wheel.Winsize{{Rows: 50, Cols: 132, X: 1, Y: 2}, {Rows: 60000, Cols: 60000}}
		p.out = func(_ *kernel.Context, s string) error {
			p.note("out %s", s)
			if len(sizes) == 0 {
				return p.run.Put("enough")
			}
			p.must(p.run.Resize(sizes[0]))
			sizes = sizes[1:]
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed nil", "out 24 80 720 384", "out 50 132 1 2", "out 60000 60000 65535 65535",
			"exit exit status 0", "read STDOUT EOF")
		if err := p.run.Resize(wheel.Winsize{}); !errors.Is(err, wheel.ErrClosed) {
			t.Errorf("Resize after the end: %v", err)
		}

		q := newParent(t, wheel.RunConfig{Program: []string{"true"}})
		run(t, k, q.session())
		if err := q.run.Resize(wheel.Winsize{}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Resize without a terminal: %v", err)
		}
	})
}

// In raw mode the end of input is one more byte, after all that was queued.
func TestW66_CloseStdinTypesTheEnd(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Func: untilEnd})
		p.begin = func(*kernel.Context) error {
			p.must(wheel.PutTo(p.run, filter.Stream(), []byte("a\r\x03b")))
			p.run.CloseStdin()
			if err := p.run.Put("more"); !errors.Is(err, wheel.ErrClosed) {
				t.Errorf("Put after CloseStdin: %v", err)
			}
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed nil", `out "a\r\x03b\x04"`, "exit exit status 0", "read STDOUT EOF")
	})
}

// A terminal that takes lines knows the end of input, also in the middle of one.
// What is typed comes twice, as echo and from the process, in no certain order.
func TestW66_CookedEndOfInput(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		for typed, want := range map[string]string{"": "", "whole\n": "whole\r\n", "half": "half", "\nhalf": "\r\nhalf"} {
			p := newTerminalParent(t, wheel.RunConfig{Program: []string{"cat"}, Cooked: true})
			all := p.gather()
			p.begin = func(*kernel.Context) error {
				p.must(wheel.PutTo(p.run, filter.Stream(), []byte(typed)))
				p.run.CloseStdin()
				return nil
			}
			run(t, k, p.session())
			if sorted(all()) != sorted(want+want) || p.log[len(p.log)-1] != "closed nil" {
				t.Errorf("typed %q: got %q, want %q twice; %q", typed, all(), want, p.log)
			}
		}
	})
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// The shell gives the command a group of its own, which ignores the hang-up.
func TestW67_KillReachesTheForeground(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Shell: "trap '' HUP; set -m; sh -c 'echo $$; exec sleep 1000'; echo not reached"})
		p.out = func(_ *kernel.Context, s string) error {
			p.note("got one")
			if s = strings.TrimSpace(s); s == "" || s[0] < '0' || s[0] > '9' {
				t.Errorf("got %q", s)
			}
			return p.run.Kill(nil)
		}
		run(t, k, p.session())
		p.wantSet("closed signal: terminated", "got one", "exit signal: terminated", "read STDOUT EOF")
	})
}

// Without a foreground, the group and what is in it.
func TestW67_KillTakesTheTerminalsGroup(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Shell: "trap '' HUP; sleep 1000 & echo started; exit 3"})
		p.out = func(*kernel.Context, string) error { return nil }
		p.onExit = func(*kernel.Context) error { return p.run.Kill(nil) }
		run(t, k, p.session())
		p.wantSet("closed exit status 3", "exit exit status 3", "read STDOUT EOF")
		if err := p.run.Kill(nil); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Kill after the end: %v", err)
		}
	})
}

// More than a terminal holds, written just before the end, none of it lost.
func TestW64_TerminalOutputBeforeClose(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const size = 1 << 20
		p := newTerminalParent(t, wheel.RunConfig{Func: floodProgram, ProgramArgs: []string{"1048576"}})
		all := p.gather()
		run(t, k, p.session())
		p.wantSet("closed nil", "exit exit status 0", "read STDOUT EOF")
		if got := all(); len(got) != size || strings.Trim(got, "x") != "" {
			t.Errorf("%d bytes, want %d times x", len(got), size)
		}
	})
}

// What the terminal does not take waits in the wheel, and comes in order.
func TestW62_TerminalInputIsQueued(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Func: untilEnd})
		p.cfg.StdinEvent = sentStdin
		all, typed := p.gather(), strings.Repeat("0123456789abcdef", 4096)
		p.begin = func(*kernel.Context) error {
			p.must(p.run.Put(typed))
			return nil
		}
		p.onSent = func(*kernel.Context) { p.run.CloseStdin() }
		run(t, k, p.session())
		if want := `"` + typed + `\n\x04"` + "\n"; all() != want {
			t.Errorf("%d bytes came back, want %d", len(all()), len(want))
		}
		p.wantSet("closed nil", "stdin sent", "exit exit status 0", "read STDOUT EOF")
	})
}

// Close is a hang-up: the process gets SIGHUP, and may live on.
func TestW65_CloseHangsUp(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		witness, far, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer witness.Close()
		_ = witness.SetDeadline(time.Now().Add(patience))
		p := newTerminalParent(t, wheel.RunConfig{
			Func: hangUpProgram, ExtraFiles: []*os.File{far},
		})
		p.out = func(*kernel.Context, string) error {
			p.run.Close()
			return far.Close()
		}
		run(t, k, p.session())
		p.want()
		if s, err := bufio.NewReader(witness).ReadString('\n'); s != "hung up\n" {
			t.Errorf("the process said %q, %v", s, err)
		}
	})
}

// A process that was killed in the middle of a line ends its terminal, too.
func TestW63_W64_KilledInTheMiddle(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newTerminalParent(t, wheel.RunConfig{Shell: "printf 'line\nhalf'; exec sleep 1000"})
		p.out = func(_ *kernel.Context, s string) error {
			p.note("out %s", s)
			return p.run.Kill(syscall.SIGKILL)
		}
		p.onExit = func(*kernel.Context) error { // nobody is left to be told
			p.run.CloseStdin()
			return nil
		}
		run(t, k, p.session())
		p.wantSet("closed signal: killed", "out line", "exit signal: killed", "read STDOUT EOF")
		if i := slices.Index(p.log, "read STDOUT EOF"); i < slices.Index(p.log, "out line") {
			t.Errorf("the end came before the output: %q", p.log)
		}
	})
}

func TestG11_TerminalsLeaveNothing(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		hello := func() {
			p := newTerminalParent(t, wheel.RunConfig{Shell: "echo hello; read end"})
			p.begin = func(*kernel.Context) error { return p.run.Put("end") }
			run(t, k, p.session())
			p.wantSet("closed nil", "out hello", "exit exit status 0", "read STDOUT EOF")
		}
		hello()
		runtime.GC()
		goroutines, files := runtime.NumGoroutine(), descriptors(t)
		for range 20 {
			hello()
		}
		if n, ok := settled(runtime.NumGoroutine, goroutines); !ok {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if n, ok := settled(func() int { return descriptors(t) }, files); !ok {
			t.Errorf("%d descriptors, %d before", n, files)
		}
	})
}
