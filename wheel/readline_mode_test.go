package wheel_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// mode is a terminal's, to be compared.
func mode(t *testing.T, tty *os.File) term.State {
	t.Helper()
	state, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return *state
}

// However a ReadLine ends, the terminal has its mode back; while it waits for a
// line, it is another.
func TestW94_TheModeIsRestored(t *testing.T) {
	ways := map[string]func(s *console, c *kernel.Context) error{
		"Close":        func(s *console, _ *kernel.Context) error { s.rl.Close(); return nil },
		"CloseFlushed": func(s *console, _ *kernel.Context) error { s.rl.CloseFlushed(); return nil },
		"stop":         func(_ *console, c *kernel.Context) error { c.Stop(); return nil },
		"error":        func(*console, *kernel.Context) error { return errOurs },
		"panic":        func(*console, *kernel.Context) error { panic(errOurs) },
		"kernel stop":  func(_ *console, c *kernel.Context) error { c.Kernel().Stop(); return nil },
		"restore": func(s *console, _ *kernel.Context) error {
			wheel.RestoreTerminals()
			s.rl.CloseFlushed()
			return nil
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
				tty, _ := device(t)
				before := mode(t, tty)
				s := newConsole(t, tty)
				s.begin = func(c *kernel.Context) error {
					s.must(s.rl.Get("> "))
					if mode(t, tty) == before {
						t.Errorf("%v: the mode is as before while a line is read", m)
					}
					return way(s, c)
				}
				k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{}})
				_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
					_, err := c.Spawn(s.session())
					return err
				})))
				if err == nil {
					err = k.Run(context.Background())
				}
				if failing := name == "error" || name == "panic"; failing != errors.Is(err, errOurs) {
					t.Errorf("%v: %v", m, err)
				}
				if mode(t, tty) != before {
					t.Errorf("%v: the mode is not as before", m)
				}
			}
		})
	}
}

var errOurs = errors.New("our own error")

// The mode changes back when a handler does not ask for another line, and stays when
// it does.
func TestW94_RawModeLastsFromGetToItsAnswer(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		tty, u := device(t)
		before := mode(t, tty)
		s := newConsole(t, tty)
		raw := func(when string, want bool) {
			t.Helper()
			if got := mode(t, tty) != before; got != want {
				t.Errorf("%s: raw is %v, want %v", when, got, want)
			}
		}
		s.begin = func(c *kernel.Context) error {
			raw("before Get", false)
			u.types("one\n")
			return s.rl.Get("> ")
		}
		s.input = func(c *kernel.Context, in wheel.ReadLineInput) error {
			raw("in the handler of "+in.Text, true)
			if in.Text == "one" {
				u.types("two\r")
				return s.rl.Get("> ")
			}
			return carryOn.Yield(c, struct{}{})
		}
		s.more = append(s.more, session.On(carryOn, func(*kernel.Context, struct{}) error {
			raw("after a handler without Get", false)
			return nil
		}))
		run(t, k, s.session())
		s.want("line one", "line two")
	})
}

// Somebody else's line begins at the left, because raw mode leaves the output alone.
func TestW94_OthersMayPrint(t *testing.T) {
	tty, u := device(t)
	s := newConsole(t, tty)
	s.begin = func(*kernel.Context) error {
		s.must(s.rl.Get(""))
		beside(t, func() {
			_, err := io.WriteString(tty, "one\ntwo\n")
			s.must(err)
			u.sees("one", "two")
			u.types(ctrlD)
		})
		return nil
	}
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), s.session())
}

// A terminal has one ReadLine at a time, under whatever name.
func TestW94_OneForEachTerminal(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		tty, _ := device(t)
		again, err := os.OpenFile(tty.Name(), os.O_RDWR|syscall.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		stream, _ := lineTerminal(t)
		for _, pair := range [][2]io.ReadWriter{{tty, tty}, {tty, again}, {stream, stream}} {
			run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
				first, err := wheel.NewReadLine(c, wheel.ReadLineConfig{Terminal: pair[0], InputEvent: gotInput})
				if err != nil {
					return err
				}
				second := wheel.ReadLineConfig{Terminal: pair[1], InputEvent: gotInput}
				if _, err := wheel.NewReadLine(c, second); !errors.Is(err, wheel.ErrTerminalTaken) {
					t.Errorf("a second ReadLine: %v", err)
				}
				first.Close()
				_, err = wheel.NewReadLine(c, second)
				return err
			})))
		}
	})
}

// Who is refused a terminal does not disturb the one that has it.
func TestW94_TheRefusedOneChangesNothing(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.begin = func(c *kernel.Context) error {
			if err := s.rl.Get("> "); err != nil {
				return err
			}
			if _, err := wheel.NewReadLine(c, s.cfg); !errors.Is(err, wheel.ErrTerminalTaken) {
				t.Errorf("a second ReadLine: %v", err)
			}
			beside(t, func() { u.starts("hello\r\x04") })
			return nil
		}
		run(t, k, s.session())
		s.want("line hello", "EOF", "closed nil")
	})
}

// A line is drawn anew for another size, but never a password: x/term would show it.
func TestW94_AnotherSize(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		tty, u := device(t)
		s := newConsole(t, tty)
		resize := func(cols uint16) {
			s.must(pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: cols}))
			s.must(syscall.Kill(syscall.Getpid(), syscall.SIGWINCH)) // it is not this process's terminal
		}
		s.begin = func(*kernel.Context) error {
			beside(t, func() {
				u.starts("0123456789012345678901234567890")
				u.sees("> 0123456789012345678901234567890")
				u.width(20)
				resize(20)
				u.shows("> 012345678901234567\r\r\n8901234567890")
				u.types(enter)
				u.shows("Password: ")
				u.types("geheim" + ctrlL) // which shows that it was read
				u.shows("\x1b[HPassword: ")
				resize(40)
				u.shows("\x1b[HPassword: \x1b[10D\x1b[KPassword: ")
				if raw := u.bytes(); strings.Contains(raw, "geheim") {
					t.Errorf("the password was shown: %q", raw)
				}
				u.types(enter)
			})
			return s.rl.Get("> ")
		}
		s.input = func(_ *kernel.Context, in wheel.ReadLineInput) error {
			if in.Text == "geheim" {
				return nil
			}
			return s.rl.GetPassword("Password: ")
		}
		run(t, k, s.session())
		s.want("line 0123456789012345678901234567890", "line geheim")
	})
}

// A wheel that is closed while it reads leaves nothing behind, and the next one gets
// the next key.
func TestW94_G11_CloseWakesTheReader(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		tty, u := device(t)
		s := newConsole(t, tty)
		run(t, k, session.New(session.Handle("_start", func(*kernel.Context) error { return nil })))
		first := make(chan os.Signal, 1) // from the first on os/signal has a goroutine
		signal.Notify(first, syscall.SIGWINCH)
		signal.Stop(first)
		runtime.GC()
		goroutines, files := runtime.NumGoroutine(), descriptors(t)
		s.begin = func(c *kernel.Context) (err error) {
			for range 50 {
				s.must(s.rl.Get(""))
				s.rl.Close()
				if s.rl, err = wheel.NewReadLine(c, s.cfg); err != nil {
					return err
				}
			}
			u.types("all of it" + enter)
			return s.rl.Get("> ")
		}
		s.input = func(*kernel.Context, wheel.ReadLineInput) error { return nil }
		run(t, k, s.session())
		s.want("line all of it")
		if n, ok := settled(runtime.NumGoroutine, goroutines); !ok {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if n, ok := settled(func() int { return descriptors(t) }, files); !ok {
			t.Errorf("%d descriptors, %d before", n, files)
		}
	})
}
