package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

const count kernel.Event[int] = "count"

func nop(*kernel.Context) error { return nil }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func spawn(t testing.TB, k *kernel.Kernel, s kernel.Receiver, opts ...kernel.SpawnOption) kernel.Address {
	t.Helper()
	a, err := k.Spawn(s, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A table that can only be a mistake panics, and says which row.
func TestNew_PanicsOnMistakes_K77_K79(t *testing.T) {
	for want, states := range map[string][]session.State{
		"session.New: row 1 has no event name":                    {session.Handle("a", nop), session.Handle("", nop)},
		`session.New: the handler for "a" is nil`:                 {session.Handle("a", nil)},
		`session.New: the handler for "count" is nil`:             {session.On[int](count, nil)},
		`session.New: "a" has two handlers; which one is meant?`:  {session.Handle("a", nop), session.Handle("a", nop)},
		`session.New: "count" has two handlers; which one is mea`: {session.Handle("count", nop), session.On(count, func(*kernel.Context, int) error { return nil })},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			session.New(states...)
		}()
	}
}

// A constant, a literal and a name made at run time meet the same handler, in
// tables of any size.
func TestReceive_FindsHandlersByAnyString(t *testing.T) {
	for _, size := range []int{1, 3, 4, 17, 200} {
		k := kerneltest.New(t)
		var got []string
		states := []session.State{session.On(count, func(_ *kernel.Context, n int) error {
			got = append(got, fmt.Sprint("count ", n))
			return nil
		})}
		for i := 1; i < size; i++ {
			name := fmt.Sprint("event ", i)
			states = append(states, session.Handle(name, func(c *kernel.Context) error {
				if c.Event() != name {
					t.Errorf("handler of %q got %q", name, c.Event())
				}
				got = append(got, name)
				return nil
			}))
		}
		a := spawn(t, k, session.New(states...))
		call := func(event string, args ...any) {
			_, err := k.Call(context.Background(), a, event, args...)
			must(err)
		}
		call(count.Name(), 1)
		call("count", 2)
		call(strings.Clone("count"), 3)
		want := []string{"count 1", "count 2", "count 3"}
		for i := 1; i < size; i++ {
			call(fmt.Sprint("event ", i))
			want = append(want, fmt.Sprint("event ", i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("size %d: got %v", size, got)
		}
		kerneltest.Run(t, k)
	}
}

// A payload of the wrong type: the handler does not run, and the error names
// event, wanted and given type. An absent one is the zero value.
func TestOn_WrongPayload(t *testing.T) {
	k := kerneltest.New(t)
	runs := 0
	a := spawn(t, k, session.New(session.On(count, func(_ *kernel.Context, n int) error {
		runs++
		if n != 0 {
			t.Errorf("got %d", n)
		}
		return nil
	})))
	_, err := k.Call(t.Context(), a, "count", "seven")
	if !errors.Is(err, kernel.ErrArgument) || !strings.Contains(err.Error(), `event "count" wants int, got string`) {
		t.Errorf("Call: %v", err)
	}
	if _, err = k.Call(t.Context(), a, "count"); err != nil || runs != 1 {
		t.Errorf("without payload: %v, %d runs", err, runs)
	}
	kerneltest.Run(t, k)
}

// K61: handlers are looked up at dispatch, so adding, replacing and removing one
// concerns events that are queued already.
func TestT16_State_AffectsQueuedEvents_K61(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
		t.Run(m.String(), func(t *testing.T) {
			k := kerneltest.New(t, kerneltest.Mode(m))
			var got []string
			say := func(s string) kernel.Handler {
				return func(*kernel.Context) error { got = append(got, s); return nil }
			}
			spawn(t, k, session.New(
				session.Handle("_start", func(c *kernel.Context) error {
					for _, e := range []string{"x", "add", "x", "remove", "x", "y", "later", "y"} {
						must(c.Yield(e))
					}
					return nil
				}),
				session.Handle("x", say("table's x")),
				session.Handle("add", func(c *kernel.Context) error { c.State("x", say("added x")); return nil }),
				session.Handle("remove", func(c *kernel.Context) error {
					c.State("x", nil)
					c.State("_default", say("added default"))
					return nil
				}),
				session.Handle("later", func(c *kernel.Context) error { c.State("y", say("added y")); return nil }),
			))
			kerneltest.Run(t, k)
			if want := "table's x, added x, added default, added default, added y, added default"; strings.Join(got, ", ") != want { // the last: _stop
				t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
			}
		})
	}
}

// One *Session may be spawned several times, also at the same time: what State
// adds is one session's own.
func TestSession_SpawnedTwice(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
		t.Run(m.String(), func(t *testing.T) {
			k := kerneltest.New(t, kerneltest.Mode(m))
			s := session.New(
				session.Handle("_start", func(c *kernel.Context) error {
					if n := c.Arg(0).(int); n == 0 {
						c.State("x", nop)
					}
					return c.Yield("go", 100)
				}),
				session.Handle("go", func(c *kernel.Context) error {
					if n := c.Arg(0).(int); n > 0 {
						return c.Yield("go", n-1)
					}
					_, err := c.Call(c.Self(), "x")
					return err
				}),
				session.Handle("_default", func(c *kernel.Context) error {
					if c.Arg(0) == "x" {
						return c.AliasSet("second")
					}
					return nil
				}),
			)
			first, second := spawn(t, k, s, kernel.Args(0)), spawn(t, k, s, kernel.Args(1))
			if first == second {
				t.Errorf("both are %v", first)
			}
			l, err := k.SpawnHeld(session.New(session.Handle("_child", nop)))
			must(err)
			l.Release()
			kerneltest.Run(t, k)
		})
	}
}

// Without a handler, a posted event is the observer's, a call's is ErrNoHandler.
func TestUnhandled(t *testing.T) {
	unhandled := 0
	k := kerneltest.New(t, kerneltest.AllowUnhandled(), kerneltest.Config(kernel.Config{
		Observer: &kernel.Observer{Unhandled: func(kernel.Record) { unhandled++ }},
	}))
	a := spawn(t, k, session.New(session.Handle("a", nop)))
	if _, err := k.Call(t.Context(), a, "b"); !errors.Is(err, kernel.ErrNoHandler) {
		t.Errorf("Call: %v", err)
	}
	must(k.Post(a, "b"))
	kerneltest.Run(t, k)
	if unhandled != 1 {
		t.Errorf("%d reports, want 1", unhandled)
	}
}
