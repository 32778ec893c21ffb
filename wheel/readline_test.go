package wheel_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// Without a Get nothing is read; one Get takes one line, and leaves the rest to
// whoever reads next.
func TestW90_OneLineForEachGet(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		tty, u := device(t)
		s := newConsole(t, tty)
		s.begin = func(c *kernel.Context) error {
			u.types("one\ntwo\nthree\n") // a shell's mode: the newline is Enter
			carryOn.Delay(c, 0, struct{}{})
			return nil
		}
		s.more = append(s.more, session.On(carryOn, func(*kernel.Context, struct{}) error {
			if len(s.log) > 0 {
				t.Errorf("before Get: %q", s.log)
			}
			return s.rl.Get("> ")
		}))
		s.input = func(c *kernel.Context, in wheel.ReadLineInput) error {
			if in.Text == "one" {
				return s.rl.Get("> ")
			}
			return nil // nothing holds the session any more
		}
		run(t, k, s.session())
		s.want("line one", "line two")
		buf := make([]byte, 100)
		_ = tty.SetReadDeadline(time.Now().Add(patience))
		if n, err := tty.Read(buf); string(buf[:n]) != "three\n" {
			t.Errorf("%q is left to be read (%v), want the third line", buf[:n], err)
		}
	})
}

func TestW90_GetChangesThePrompt(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.begin = func(c *kernel.Context) error {
			prompts := []string{"first\nsecond> ", "", "last> "}
			again := s.on(c, 3, func(*kernel.Context) error {
				prompt := prompts[0]
				prompts = prompts[1:]
				return s.rl.Get(prompt)
			})
			beside(t, func() {
				u.sees("a>")
				u.types("text" + left + left)
				u.sees("a> text")
				again()
				u.sees("first", "second> text")
				again()
				u.sees("first", "text")
				u.types(ctrlU + ctrlK)
				u.sees("first")
				again()
				u.sees("first", "last>")
				u.types("x" + enter)
			})
			return errors.Join(s.rl.Get(""), s.rl.Get("a> "))
		}
		s.input = func(*kernel.Context, wheel.ReadLineInput) error { return nil }
		run(t, k, s.session())
		s.want("line x")
	})
}

// No answer comes while the handler that asked is running.
func TestW91_T14_TheAnswerIsAnEvent(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.begin = func(c *kernel.Context) error {
			s.must(s.rl.Get("> "))
			u.types("x" + enter)
			u.sees("> x")
			s.note("handler returns")
			return nil
		}
		s.input = func(*kernel.Context, wheel.ReadLineInput) error { return nil }
		run(t, k, s.session())
		s.want("handler returns", "line x")
	})
}

func TestW90_ConfigAndStateAreChecked(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		bad := map[string]wheel.ReadLineConfig{
			"InputEvent": {},
			"PutMode":    {InputEvent: gotInput, PutMode: 3},
			"IdleTime":   {InputEvent: gotInput, IdleTime: -1},
			"MaxOutput":  {InputEvent: gotInput, MaxOutput: -1},
		}
		near, _ := lineTerminal(t)
		s := newConsole(t, near)
		s.begin = func(c *kernel.Context) error {
			for field, cfg := range bad {
				_, err := wheel.NewReadLine(c, cfg)
				if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "ReadLineConfig."+field) {
					t.Errorf("%s: %v", field, err)
				}
			}
			gone, err := os.CreateTemp(t.TempDir(), "")
			s.must(err)
			s.must(gone.Close())
			var e *wheel.Error
			if _, err := wheel.NewReadLine(c, wheel.ReadLineConfig{InputEvent: gotInput, Terminal: gone}); !errors.As(err, &e) || e.Op != "start" {
				t.Errorf("a closed file: %v", err)
			}
			s.must(s.rl.Get("> "))
			if err := s.rl.GetPassword("Password: "); !errors.Is(err, wheel.ErrReading) {
				t.Errorf("GetPassword beside Get: %v", err)
			}
			if err := s.rl.SetSize(0, 1); !errors.Is(err, kernel.ErrArgument) {
				t.Errorf("SetSize: %v", err)
			}
			s.rl.Close()
			for _, err := range []error{s.rl.Get(""), s.rl.GetPassword(""), s.rl.Put("")} {
				if !errors.Is(err, wheel.ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
			}
			s.rl.CloseFlushed()
			s.must(s.rl.SetSize(10, 10))
			return nil
		}
		run(t, k, s.session())
		s.want()
	})
}

// Lines come from pipes and files as well, unedited and without prompts.
func TestW90_WithoutATerminal(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		swap := func(file **os.File, by *os.File) { old := *file; *file = by; t.Cleanup(func() { *file = old }) }
		shown, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		swap(&os.Stdin, in)
		swap(&os.Stdout, shown)
		s := newConsole(t, nil)
		s.begin = func(*kernel.Context) error { return s.rl.GetPassword("> ") }
		s.input = func(_ *kernel.Context, in wheel.ReadLineInput) error {
			s.must(s.rl.Put("put"))
			if in.Err == io.EOF {
				return nil
			}
			if in.Err != nil && !errors.Is(in.Err, filter.ErrTooLong) {
				t.Error(in.Err)
			}
			return s.rl.Get("> ")
		}
		beside(t, func() {
			_, _ = io.WriteString(out, "one\x1b[D\ntwo\r\n\n\xff"+strings.Repeat("x", 2<<20)+"\nlast")
			_ = out.Close()
		})
		run(t, k, s.session())
		s.want("line one\x1b[D", "line two", "line ", "too long", "line last", "EOF", "closed nil")
		if text, err := os.ReadFile(shown.Name()); string(text) != strings.Repeat("put\n", 6) {
			t.Errorf("shown: %q, %v", text, err)
		}
	})
}

// The end is told once, after all lines; a Get in its handler is refused.
func TestW91_G11_TheEndOfATerminal(t *testing.T) {
	broken := errors.New("broken")
	for end, log := range map[error][]string{
		io.EOF: {"line one", "EOF", "closed nil"},
		broken: {"line one", "broken", "closed broken"},
	} {
		inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
			show, u := lineTerminal(t)
			keys, press := io.Pipe()
			s := newConsole(t, struct {
				io.Reader
				io.Writer
			}{keys, show})
			s.input = func(_ *kernel.Context, in wheel.ReadLineInput) error {
				err := s.rl.Get("> ")
				if in.Err != nil && !errors.Is(err, wheel.ErrClosed) {
					t.Errorf("Get at the end: %v", err)
				}
				return nil
			}
			beside(t, func() {
				_, _ = io.WriteString(press, "one\rhalf a line")
				u.sees("> one", "> half a line")
				_ = press.CloseWithError(end)
			})
			run(t, k, s.session())
			s.want(log...)
		})
	}
}

// Nobody shows what is written: Get is answered, and the wheel ends.
func TestW91_G11_AFailedWrite(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, _ := lineTerminal(t)
		s := newConsole(t, brokenScreen{near})
		s.input = func(*kernel.Context, wheel.ReadLineInput) error { return nil }
		run(t, k, s.session())
		s.want("input/output error", "closed input/output error")
	})
}

type brokenScreen struct{ net.Conn }

func (brokenScreen) Write([]byte) (int, error) { return 0, syscall.EIO }

// Put does what PutMode says.
func TestW92_PutWhileTheUserTypes(t *testing.T) {
	for name, tt := range map[string]struct {
		mode  wheel.PutMode
		idle  time.Duration
		shown []string // after Put, when there is something to see
		after []string // after Enter
	}{
		"immediate":  {wheel.PutImmediate, 0, []string{"> one", "news", "> half"}, []string{"> one", "news", "> half", "> ^D"}},
		"after":      {wheel.PutAfter, 0, nil, []string{"> one", "> half", "news", "> ^D"}},
		"idle long":  {wheel.PutIdle, time.Hour, nil, []string{"> one", "> half", "news", "> ^D"}},
		"idle short": {wheel.PutIdle, time.Millisecond, []string{"> one", "news", "> half"}, []string{"> one", "news", "> half", "> ^D"}},
	} {
		t.Run(name, func(t *testing.T) {
			onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
				s.cfg.PutMode, s.cfg.IdleTime = tt.mode, tt.idle
				s.begin = func(c *kernel.Context) error {
					put := s.on(c, 1, func(*kernel.Context) error { return s.rl.Put("news") })
					beside(t, func() {
						u.starts("one" + enter + "half" + left + left)
						u.sees("> one", "> half")
						put()
						if tt.shown != nil {
							u.sees(tt.shown...)
						}
						u.types(enter + ctrlD)
						u.sees(tt.after...)
					})
					return s.rl.Get("> ")
				}
				run(t, k, s.session())
				s.want("line one", "line half", "EOF", "closed nil")
			})
		})
	}
}

// Before the first key even PutIdle does not wait, and without a Get nothing does.
func TestW92_PutWhileNobodyTypes(t *testing.T) {
	for _, mode := range []wheel.PutMode{wheel.PutIdle, wheel.PutAfter} {
		onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
			s.cfg.PutMode, s.cfg.IdleTime = mode, time.Hour
			s.begin = func(c *kernel.Context) error {
				s.must(s.rl.Put("a", "b"))
				s.must(s.rl.Get("> "))
				s.must(s.rl.Put("c"))
				beside(t, func() {
					if mode == wheel.PutIdle {
						u.sees("a", "b", "c", ">")
					}
					u.types(enter + ctrlD)
				})
				return nil
			}
			run(t, k, s.session())
			s.want("line ", "EOF", "closed nil")
		})
	}
}

// Text above a line of several rows leaves nothing of it behind.
func TestW92_PutAboveALongLine(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.cfg.PutMode = wheel.PutImmediate
		s.begin = func(c *kernel.Context) error {
			put := s.on(c, 1, func(*kernel.Context) error { return s.rl.Put("news", "more") })
			x := strings.Repeat("x", 78)
			beside(t, func() {
				u.starts(x + "yyyyyy" + ctrlA)
				u.sees("> "+x, "yyyyyy")
				put()
				u.sees("news", "more", "> "+x, "yyyyyy")
				u.types("z" + enter + ctrlD)
				u.sees("news", "more", "> z"+x[1:], "xyyyyyy", "> ^D")
			})
			return s.rl.Get("> ")
		}
		run(t, k, s.session())
		s.want("line z"+strings.Repeat("x", 78)+"yyyyyy", "EOF", "closed nil")
	})
}

// The last Put of a session is shown before it ends, and CloseFlushed leaves the line.
func TestW92_G5_WhatWasPutIsShown(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.cfg.PutMode = wheel.PutAfter
		s.begin = func(c *kernel.Context) error {
			bye := s.on(c, 1, func(*kernel.Context) error {
				s.must(s.rl.Put("bye"))
				s.rl.CloseFlushed()
				if err := s.rl.Put("late"); !errors.Is(err, wheel.ErrClosed) {
					t.Errorf("Put after CloseFlushed: %v", err)
				}
				return nil
			})
			beside(t, func() {
				u.starts("half")
				u.sees("> half")
				bye()
				u.sees("> half", "bye")
			})
			return s.rl.Get("> ")
		}
		run(t, k, s.session())
		s.want("closed nil")
	})
}

func TestW94_TheSizeOfAStream(t *testing.T) {
	inAllModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, u := lineTerminal(t)
		s := newConsole(t, near)
		u.screen.width = 20
		s.begin = func(c *kernel.Context) error {
			s.must(s.rl.SetSize(20, 10))
			beside(t, func() {
				u.starts(strings.Repeat("0123456789", 3) + ctrlA + "x")
				u.sees("> x01234567890123456", "7890123456789")
				u.types(enter + ctrlD)
			})
			return s.rl.Get("> ")
		}
		run(t, k, s.session())
		s.want("line x"+strings.Repeat("0123456789", 3), "EOF", "closed nil")
	})
}
