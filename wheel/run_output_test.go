package wheel_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const gotFrame kernel.Event[filter.Frame] = "got_frame"

// framed is a parent of a process that speaks in frames.
func framed(t *testing.T, cfg wheel.RunConfig) *parent {
	p := newParent(t, cfg)
	p.cfg.StdoutEvent, p.cfg.Stdout = "", wheel.Decode(filter.Event(), gotFrame)
	return p
}

// Frames in both directions of a function, text on its error output.
func TestW62_FramesOfAFunction(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := framed(t, wheel.RunConfig{Func: addProgram})
		out := filter.Event()
		ask := func(id uint64, numbers ...any) {
			p.must(wheel.PutTo(p.run, out, filter.Frame{Name: "add", ID: id, Args: numbers}))
		}
		p.begin = func(*kernel.Context) error {
			ask(1, 2, 3)
			return nil
		}
		run(t, k, p.session(session.On(gotFrame, func(_ *kernel.Context, f filter.Frame) error {
			p.note("%d: %v", f.ReplyTo, f.Args)
			switch f.ReplyTo {
			case 1:
				ask(2, f.Args[0], 100)
				ask(3, 1000, f.Args[0])
			case 3:
				p.run.CloseStdin()
			}
			return nil
		})))
		p.wantSet("closed nil", "1: [5]", "2: [105]", "3: [1005]", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
	})
}

// A record's handler changes filter, event and type; the rest of the same read, and
// all later ones, go to the new filter.
func TestW5_W74_ExchangeBetweenTwoRecords(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"cat"}})
		p.begin = func(*kernel.Context) error { return p.run.Put("text", "binary", "a\rb", "c") }
		p.out = func(_ *kernel.Context, s string) error {
			p.note("out %s", s)
			switch s {
			case "binary":
				p.must(p.run.ExchangeStdout(wheel.Decode(filter.Stream(), gotBytes)))
				p.must(p.run.ExchangeStdin(filter.Line())) // ends its lines with CRLF
				p.must(p.run.Put("d"))
				p.run.CloseStdin()
			}
			return nil
		}
		run(t, k, p.session())
		if got := string(p.bytes); got != "a\rb\nc\nd\r\n" {
			t.Errorf("after the exchange came %q", got)
		}
		p.wantSet("closed nil", "out text", "out binary", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
	})
}

// Another event and the same filter: what that had not parsed comes once.
func TestW5_W74_ExchangeOfTheEventAlone(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"printf", "a\nb\nc"}, StdoutFilter: filter.Line()})
		p.cfg.StderrEvent = ""
		p.out = func(_ *kernel.Context, s string) error {
			p.note("out %s", s)
			return p.run.ExchangeStdout(wheel.Decode(p.cfg.StdoutFilter, gotErr))
		}
		run(t, k, p.session())
		p.wantSet("closed nil", "out a", "err b", "exit exit status 0", "read STDOUT EOF")
	})
}

// The error output has a filter and an event of its own to exchange.
func TestW74_ExchangeStderr(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "echo go; read x; printf 'a;b;c' >&2; echo out"})
		p.out = func(_ *kernel.Context, s string) error {
			p.note("out %s", s)
			if s != "go" {
				return nil
			}
			f, err := filter.NewLine(filter.LineConfig{InputLiteral: ";"})
			p.must(err)
			p.must(p.run.ExchangeStderr(wheel.Decode(f, gotErr)))
			return p.run.Put("on")
		}
		run(t, k, p.session())
		p.wantSet("closed nil", "out go", "out out", "err a", "err b", "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
	})
}

// An exchange leaves a pause as it is.
func TestW6_W75_ExchangeWhilePaused(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"printf", "1\n2\n"}})
		p.cfg.StderrEvent = ""
		p.out = func(c *kernel.Context, s string) error {
			p.note("out %s", s)
			if s == "1" {
				p.run.PauseStdout()
				p.must(p.run.ExchangeStdout(wheel.Decode(filter.Line(), gotErr)))
				return carryOn.Yield(c, struct{}{})
			}
			return nil
		}
		turns := 0
		run(t, k, p.session(session.On(carryOn, func(c *kernel.Context, _ struct{}) error {
			if turns++; turns < 10 {
				return carryOn.Yield(c, struct{}{})
			}
			p.note("resumed")
			p.run.ResumeStdout()
			return nil
		})))
		p.log = slices.DeleteFunc(p.log, func(s string) bool { return strings.HasPrefix(s, "exit") })
		p.want("out 1", "resumed", "err 2", "read STDOUT EOF", "closed nil")
	})
}

func TestW73_W74_ExchangeIsRefused(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Program: []string{"true"}})
		p.cfg.StderrEvent = ""
		text := wheel.Decode(filter.Line(), gotOut)
		p.begin = func(*kernel.Context) error {
			for _, err := range []error{
				p.run.ExchangeStderr(text),
				p.run.ExchangeStdout(wheel.Output{}),
				p.run.ExchangeStdout(wheel.Decode(filter.Line(), "")),
				p.run.ExchangeStdin(nil),
			} {
				if !errors.Is(err, wheel.ErrConfig) {
					t.Errorf("exchange: %v", err)
				}
			}
			return nil
		}
		run(t, k, p.session())
		if err := p.run.ExchangeStdout(text); !errors.Is(err, wheel.ErrClosed) {
			t.Errorf("exchange after the end: %v", err)
		}
	})
}

// What no filter can read any further is thrown away, and the rest goes on.
func TestW10_W63_GarbageForTheFilter(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := framed(t, wheel.RunConfig{Shell: "head -c 300000 /dev/zero | tr '\\0' '\\377'; echo text >&2"})
		run(t, k, p.session())
		p.wantSet("closed nil", "filter STDOUT unusable", "err text", "exit exit status 0", "read STDERR EOF")
	})
}

// The handler that is told so may put another filter in its place.
func TestW74_ExchangeOfALostFilter(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := framed(t, wheel.RunConfig{Shell: "head -c 300000 /dev/zero | tr '\\0' '\\377'"})
		p.onFailed = func(*kernel.Context) error {
			if len(p.log) == 1 {
				return p.run.ExchangeStdout(wheel.Decode(filter.Stream(), gotBytes))
			}
			return nil
		}
		p.cfg.StderrEvent = ""
		run(t, k, p.session())
		p.wantSet("closed nil", "filter STDOUT unusable", "exit exit status 0", "read STDOUT EOF")
		if len(p.bytes) == 0 || len(p.bytes) > 300000 {
			t.Errorf("%d bytes were rescued", len(p.bytes))
		}
	})
}
