package kernel_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

func debug(c *kernel.Config) { c.Debug = true }

// misuse runs f and returns the MisuseError that it panics with, nil if it does not.
func misuse(t testing.TB, f func()) (e *kernel.MisuseError) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			var ok bool
			if e, ok = v.(*kernel.MisuseError); !ok {
				t.Errorf("panic with %T %v, want a *MisuseError", v, v)
			}
		}
	}()
	f()
	return nil
}

// wantMisuse checks what every MisuseError has to say.
func wantMisuse(t testing.TB, e *kernel.MisuseError, want kernel.MisuseError, text ...string) {
	t.Helper()
	if e == nil {
		t.Errorf("%s did not panic", want.Method)
		return
	}
	expect(t, "method", e.Method, want.Method)
	expect(t, "session", e.Session, want.Session)
	expect(t, "event", e.Event, want.Event)
	if !strings.Contains(e.Handler, want.Handler) {
		t.Errorf("handler: got %q, want %q", e.Handler, want.Handler)
	}
	for _, part := range append(text, want.Method, "; ") {
		if !strings.Contains(e.Error(), part) {
			t.Errorf("%q is missing in: %v", part, e)
		}
	}
}

// Every method of a Context whose handler has returned panics, in a later handler
// of the same session and outside; the error says for what the Context was.
func TestDebug_ContextAfterItsHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		var stale *kernel.Context
		try := func(where string) {
			methods := reflect.ValueOf(stale)
			for i := range methods.NumMethod() {
				name, method := methods.Type().Method(i).Name, methods.Method(i)
				if name == "Added" { // for receivers, which have asked for the Event before
					continue
				}
				args := make([]reflect.Value, method.Type().NumIn())
				for i := range args {
					args[i] = reflect.Zero(method.Type().In(i))
				}
				if method.Type().IsVariadic() {
					args = args[:len(args)-1]
				}
				e := misuse(t, func() { method.Call(args) })
				wantMisuse(t, e, kernel.MisuseError{Method: "Context." + name, Session: "#1", Event: "keep", Handler: "returned"},
					`"keep" in session #1, made at kernel/harness_test.go:`, "which has returned", "take a Lease")
				if t.Failed() {
					t.Fatalf("Context.%s %s", name, where)
				}
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { must(c.Yield("keep", 1)); return c.Yield("use") },
			"keep":   func(c *kernel.Context) error { stale = c; return nil },
			"use":    func(*kernel.Context) error { try("in a later handler"); k.note("used"); return nil },
		})
		k.run()
		k.wantNotes("used")
		try("after the kernel's end")
	})
}

// A Context on another goroutine, while its handler runs: the error says where
// that is, and where the goroutine was started.
func TestDebug_ContextOnAnotherGoroutine(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				caught := make(chan *kernel.MisuseError)
				go func() { caught <- misuse(t, func() { _ = c.Post("#1", "x") }) }()
				wantMisuse(t, <-caught, kernel.MisuseError{Method: "Context.Post", Session: "#1", Event: "go", Handler: "TestDebug_ContextOnAnotherGoroutine"},
					"not for this goroutine, which was started at kernel/debug_test.go:")
				k.note("%v", c.Event())
				return nil
			},
		}, kernel.Alias("one"))
		k.run()
		k.wantNotes("go")
	})
}

// A call that nests does not end the caller's Context; a Context given to a
// called handler is good there, because its own handler still runs.
func TestDebug_ContextOfACaller(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		callee := k.service(table{"x": func(c *kernel.Context) error {
			k.note("%v", c.Arg(0).(*kernel.Context).Event())
			_, err := c.Call(c.Sender(), "back")
			return err
		}})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				_, err := c.Call(callee, "x", c)
				k.note("%v", c.Event())
				return err
			},
			"back": func(c *kernel.Context) error { k.note("%v", c.Event()); return nil },
		})
		k.run()
		k.wantNotes("go", "back", "go")
	})
}

// In a handler, misuse is a failure like any panic.
func TestDebug_MisuseIsAnException(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		var stale *kernel.Context
		k.spawn(table{
			"_start": func(c *kernel.Context) error { stale = c; return c.Yield("use") },
			"use":    func(*kernel.Context) error { return stale.Yield("x") },
		})
		var x *kernel.Exception
		var e *kernel.MisuseError
		if err := k.Run(context.Background()); !errors.As(err, &x) || !errors.As(err, &e) {
			t.Fatalf("Run: %v", err)
		}
		expect(t, "the failed event", x.Event, "use")
		wantMisuse(t, e, kernel.MisuseError{Method: "Context.Yield", Session: "#1", Event: "_start", Handler: "returned"})
		k.clean()
	})
}

// Run inside a handler would wait for itself; while the kernel runs it is ErrRunning.
func TestDebug_RunInsideAHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		k.spawn(table{"_start": func(*kernel.Context) error {
			e := misuse(t, func() { _ = k.Run(context.Background()) })
			wantMisuse(t, e, kernel.MisuseError{Method: "Kernel.Run", Session: "#1", Event: "_start", Handler: "kernel/debug_test.go"})
			return nil
		}})
		k.run()
	})
}

// W1: a wheel is for its owner's handlers. Another session's, also one that the
// owner calls, and no handler at all are caught; a wheel that has ended is harmless.
func TestW1_DebugCatchesForeignWheels(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		var src *kernel.Source
		misused := func(text string) {
			for name, f := range map[string]func(){
				"Watch":  func() { src.Watch(true) },
				"Closed": func() { src.Closed() },
				"Close":  func() { src.Close() },
			} {
				wantMisuse(t, misuse(t, f), kernel.MisuseError{Method: "Source." + name, Session: "#2"}, "(pipe, made at kernel/debug_test.go:", text)
			}
		}
		other := k.service(table{"use": func(c *kernel.Context) error {
			misused("belongs to session #2 (owner)")
			e := misuse(t, func() { src.Deliver(c, "x") })
			wantMisuse(t, e, kernel.MisuseError{Method: "Source.Deliver", Session: "#2"})
			_, err := c.Call(c.Sender(), "back")
			return err
		}})
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				src = c.NewSource("pipe", func(c *kernel.Context) { src.Deliver(c, "input") }, nil)
				src.Watch(true)
				src.Wake()
				return nil
			},
			"back": func(*kernel.Context) error { k.note("closed: %v", src.Closed()); return nil },
			"input": func(c *kernel.Context) error {
				_, err := c.Call(other, "use")
				must(err)
				k.note("closed: %v", src.Closed())
				src.Close()
				return nil
			},
		}, kernel.Alias("owner"))
		misused("not one of its handlers")
		k.run()
		k.wantNotes("closed: false", "closed: false")
		expect(t, "misuse of what has ended", misuse(t, func() { src.Close(); src.Watch(true) }), nil)
	})
}

// logged is what slog's default logger is given from here on.
func logged(t testing.TB) *bytes.Buffer {
	var buf bytes.Buffer
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(out)
		log.SetFlags(flags)
	})
	return &buf
}

// K75: with Debug, State warns when it replaces what State had set; once for each
// event, and not when that was removed before.
func TestK75_DebugWarnsOfAReplacedHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, on := range []bool{true, false} {
			log := logged(t)
			k := boot(t, m, func(c *kernel.Config) { c.Debug = on })
			k.spawn(table{"_start": func(c *kernel.Context) error {
				c.State("new", k.noting(""))
				c.State("gone", k.noting(""))
				c.State("gone", nil)
				c.State("gone", k.noting(""))
				c.State("twice", k.noting(""))
				c.State("twice", k.noting(""))
				c.State("twice", k.noting(""))
				return nil
			}})
			k.run()
			want := 0
			if on || kernel.AlwaysDebug {
				want = 1
			}
			expect(t, "warnings", strings.Count(log.String(), "level=WARN"), want)
			expect(t, "warnings of this", strings.Count(log.String(), "event=twice session=#1 at=kernel/debug_test.go:"), want)
		}
	})
}

// Without Debug nothing is remembered, and nothing panics.
func TestDebug_Off(t *testing.T) {
	if kernel.AlwaysDebug {
		t.Skip("built with the tag usherdebug")
	}
	k := boot(t, kernel.Serial)
	var stale *kernel.Context
	a := k.spawn(table{"_start": func(c *kernel.Context) error {
		stale = c
		c.Lease("mine")
		done := c.Done()
		go func() { <-done }()
		return nil
	}})
	expect(t, "misuse", misuse(t, func() { stale.Self() }), nil)
	if got := k.Explain(a); strings.Contains(got, "made at") || !strings.Contains(got, `lease "mine"`) {
		t.Errorf("Explain:\n%s", got)
	}
	expect(t, "goroutines", len(k.Goroutines()), 0)
	k.Stop()
	k.run()
}
