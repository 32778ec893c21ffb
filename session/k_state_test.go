package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

var modes = []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated}

func eachMode(t *testing.T, f func(t *testing.T, m kernel.Mode)) {
	t.Helper()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) { f(t, m) })
	}
}

// notes is what handlers tell, from any goroutine.
type notes struct {
	sync.Mutex
	list []string
}

func (n *notes) add(format string, args ...any) {
	n.Lock()
	defer n.Unlock()
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

// saying is a handler that notes a text.
func (n *notes) saying(text string) kernel.Handler {
	return func(*kernel.Context) error { n.add("%s", text); return nil }
}

func (n *notes) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(n.list, want) {
		t.Errorf("notes:\n got %s\nwant %s", strings.Join(n.list, " | "), strings.Join(want, " | "))
	}
}

// _default gets the event's name and the list of its arguments, under its own
// name and from the event's sender; its value and its error are the call's. The
// list is its own: what it does to it, nobody else sees.
func TestK72_Default(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var n notes
		boom := errors.New("boom")
		k := kerneltest.New(t, kerneltest.Mode(m))
		given := []any{1, "two", nil, 4}
		a := spawn(t, k, session.New(session.Handle("_default", func(c *kernel.Context) error {
			name, args := c.Arg(0).(string), c.Arg(1).([]any)
			if len(c.Args()) != 2 {
				t.Errorf("%d arguments", len(c.Args()))
			}
			switch name {
			case "fail":
				return boom
			case "_stop":
				return nil
			}
			n.add("%s: %s%v from %v", c.Event(), name, args, c.Sender())
			clear(args)
			c.Return("value of " + name)
			return nil
		})))
		v, err := k.Call(t.Context(), a, "x", given...)
		n.add("%v %v %v", v, err, given)
		_, err = k.Call(t.Context(), a, "fail")
		n.add("%v", errors.Is(err, boom))
		must(k.Post(a, "none"))
		must(k.Post(a, "posted", given...))
		kerneltest.Run(t, k)
		n.want(t, "_default: x[1 two <nil> 4] from kernel", "value of x <nil> [1 two <nil> 4]", "true",
			"_default: none[] from kernel", "_default: posted[1 two <nil> 4] from kernel")
	})
}

// _default also gets the kernel's own events that nobody handles, but not _start;
// nor does a _default that State sets. A session without _start is like any other.
func TestK73_K78_DefaultAndTheKernelsEvents(t *testing.T) {
	for name, added := range map[string]bool{"in the table": false, "by State": true} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				var n notes
				k := kerneltest.New(t, kerneltest.Mode(m))
				fallback := func(c *kernel.Context) error {
					n.add("%v%v", c.Arg(0), c.Arg(1))
					if c.Arg(0) == "breed" {
						a, err := c.Spawn(session.New(session.Handle("_default", func(c *kernel.Context) error {
							n.add("kid: %v%v", c.Arg(0), c.Arg(1))
							return nil
						})), kernel.Args("for _start"))
						must(err)
						return c.DetachChild(a)
					}
					return nil
				}
				states := []session.State{session.Handle("_default", fallback)}
				if added {
					states = []session.State{session.Handle("_start", func(c *kernel.Context) error { c.State("_default", fallback); return nil })}
				}
				a := spawn(t, k, session.New(states...))
				must(k.Post(a, "breed"))
				kerneltest.Run(t, k)
				slices.Sort(n.list[min(4, len(n.list)):]) // the two ends are in any order
				n.want(t, "breed[]", "_child[create #2 <nil>]", "_child[lose #2 <nil>]", "kid: _parent[#1 kernel]", "_stop[]", "kid: _stop[]")
			})
		})
	}
}

// An event that _default takes is seen under its own name by the observer, as are
// those that nobody handles.
func TestK75_ObserverInPlaceOfOptions(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var n notes
		k := kerneltest.New(t, kerneltest.AllowUnhandled(), kerneltest.Config(kernel.Config{Observer: &kernel.Observer{
			Began:     func(r kernel.Record) { n.add("began %s", r.Event) },
			Unhandled: func(r kernel.Record) { n.add("unhandled %s", r.Event) },
		}}), kerneltest.Mode(m))
		a := spawn(t, k, session.New(
			session.Handle("known", nop),
			session.Handle("off", func(c *kernel.Context) error { c.State("_default", nil); return nil }),
			session.Handle("_start", func(c *kernel.Context) error { c.State("_default", nop); return nil }),
		))
		for _, e := range []string{"known", "to default", "off", "to nobody"} {
			must(k.Post(a, e))
		}
		kerneltest.Run(t, k)
		n.want(t, "began _start", "began known", "began to default", "began off", "began to nobody", "unhandled to nobody", "began _stop")
	})
}

// State adds and replaces handlers, its own and the table's, of this session
// alone and from the next event on; nil removes either.
func TestK76_State(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var n notes
		k := kerneltest.New(t, kerneltest.Mode(m))
		s := session.New(
			session.Handle("set", func(c *kernel.Context) error {
				name, text := c.Arg(0).(string), c.Arg(1)
				if text == nil {
					c.State(name, nil)
				} else {
					c.State(name, n.saying(text.(string)))
				}
				return nil
			}),
			session.Handle("x", n.saying("table's x")),
			session.Handle("itself", func(c *kernel.Context) error {
				c.State("itself", n.saying("its successor"))
				n.add("itself")
				return nil
			}),
		)
		a, other := spawn(t, k, s), spawn(t, k, s)
		call := func(to kernel.Address, event string, args ...any) {
			t.Helper()
			if _, err := k.Call(t.Context(), to, event, args...); err != nil {
				n.add("%s: %v", event, errors.Is(err, kernel.ErrNoHandler))
			}
		}
		for _, text := range []any{"first", "second", nil, nil} {
			call(a, "set", "x", text)
			call(a, "x")
			call(a, "set", "y", text)
			call(a, "y")
		}
		call(other, "x")
		call(other, "y")
		call(a, "itself")
		call(a, "itself")
		call(other, "itself")
		kerneltest.Run(t, k)
		n.want(t, "first", "first", "second", "second", "x: true", "y: true", "x: true", "y: true",
			"table's x", "y: true", "itself", "its successor", "itself")
	})
}

// counter is an object with methods, and with the state that POE keeps in a heap.
type counter struct {
	name string
	sum  int
	n    *notes
}

func (o *counter) add(_ *kernel.Context, v int) error { o.sum += v; return nil }

func (o *counter) tell(c *kernel.Context) error {
	o.n.add("%v: %s has %d", c.Self(), o.name, o.sum)
	return nil
}

// Method values are handlers: each knows its object. One object may serve several
// sessions, and one session may use several objects.
func TestK81_ObjectsAndSessions(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var n notes
		k := kerneltest.New(t, kerneltest.Mode(m))
		shared, own := &counter{name: "shared", n: &n}, &counter{name: "own", n: &n}
		a := spawn(t, k, session.New(session.On("add", shared.add), session.Handle("tell", shared.tell)))
		b := spawn(t, k, session.New(
			session.On("add", shared.add), session.Handle("tell", shared.tell),
			session.On("add own", own.add), session.Handle("tell own", own.tell),
		))
		for _, c := range []struct {
			to    kernel.Address
			event string
			args  []any
		}{{a, "add", []any{1}}, {b, "add", []any{2}}, {b, "add own", []any{40}}, {a, "tell", nil}, {b, "tell", nil}, {b, "tell own", nil}} {
			_, err := k.Call(t.Context(), c.to, c.event, c.args...)
			must(err)
		}
		kerneltest.Run(t, k)
		n.want(t, "#1: shared has 3", "#2: shared has 3", "#2: own has 40")
	})
}
