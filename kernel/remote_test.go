package kernel_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// echoNode is a Remote whose every node is this kernel again: what goes to
// "x@node" is delivered to x in the name of a stranger.
type echoNode struct {
	k    *kernel.Kernel
	all  *kernel.Strangers
	sent []kernel.Outgoing
	to   map[kernel.Address]*kernel.Stranger
}

func (e *echoNode) stranger(from kernel.Address) *kernel.Stranger {
	from += "@here"
	if e.to == nil {
		e.to = map[kernel.Address]*kernel.Stranger{}
	}
	if e.to[from] == nil {
		e.to[from] = e.all.From(from)
	}
	return e.to[from]
}

func local(a kernel.Address) kernel.Address { return a[:slices.Index([]byte(a), '@')] }

func (e *echoNode) Local(a kernel.Address) (kernel.Address, bool) {
	if strings.HasSuffix(string(a), "@self") {
		return local(a), true
	}
	return "", false
}

func (e *echoNode) PostRemote(o kernel.Outgoing) error {
	e.sent = append(e.sent, o)
	return e.stranger(o.From).Post(local(o.To), o.Cause, o.Event, o.Args...)
}

func (e *echoNode) CallRemote(ctx context.Context, o kernel.Outgoing) (any, error) {
	return "called " + string(o.To), nil
}

func (e *echoNode) MonitorRemote(o kernel.Outgoing) error {
	e.sent = append(e.sent, o)
	return nil
}

func TestAddressesWithANode(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := kernel.New(kernel.Config{Mode: m})
		e := &echoNode{k: k, all: k.Strangers()}
		detach, err := k.AttachRemote(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.AttachRemote(e); !errors.Is(err, kernel.ErrArgument) {
			t.Errorf("a second Remote: %v", err)
		}
		got := map[kernel.Address][]any{}
		_, _ = k.Spawn(table{
			"line": func(c *kernel.Context) error {
				if c.Called() {
					t.Error("it was posted")
				}
				got[c.Sender()] = append(got[c.Sender()], c.Args()...)
				return nil
			},
			"whoami": func(c *kernel.Context) error {
				if !c.Called() {
					t.Error("it was called")
				}
				c.Return(c.Sender())
				return nil
			},
		}, kernel.Alias("logger"))
		self, _ := k.Spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				if err := c.Post("logger@far", "line", 1, "two", 3.0); err != nil {
					return err
				}
				if err := c.Monitor("logger@far", "gone", 7); err != nil {
					return err
				}
				v, err := c.Call("logger@far", "get")
				if v != "called logger@far" || err != nil {
					t.Errorf("Call gave %v, %v", v, err)
				}
				if err := c.Post("logger@self", "line", "own"); err != nil {
					return err
				}
				if v, err := c.Call("logger@self", "whoami"); v != c.Self() || err != nil {
					t.Errorf("Call to oneself's node gave %v, %v", v, err)
				}
				if err := c.Post("nobody@far", "line"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("to nobody: %v", err)
				}
				if err := c.Post("logger@far", ""); !errors.Is(err, kernel.ErrArgument) {
					t.Errorf("without a name: %v", err)
				}
				return nil
			},
		})
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if far := got[self+"@here"]; len(got) != 2 || !slices.Equal(far, []any{1, "two", 3.0}) || !slices.Equal(got[self], []any{"own"}) {
			t.Errorf("got %v", got)
		}
		if n := e.all.Handled(); n != 1 {
			t.Errorf("%d of the strangers' events were handled", n)
		}
		if o := e.sent[1]; o.From != self || o.To != "logger@far" || o.Event != "gone" || !slices.Equal(o.Args, []any{7}) {
			t.Errorf("monitored with %+v", o)
		}
		detach()
		if err := k.Post("logger@far", "line"); !errors.Is(err, kernel.ErrNoNode) {
			t.Errorf("without a Remote: %v", err)
		}
		if _, err := k.Call(context.Background(), "logger@far", "line"); !errors.Is(err, kernel.ErrNoNode) {
			t.Errorf("without a Remote: %v", err)
		}
	})
}

// A stranger's posts count as handled when they were dropped, too, and hold nobody.
func TestStrangersEventsAreAllCounted(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{Dropped: func(kernel.Record, kernel.Reason) {}}})
		all := k.Strangers()
		far := all.From("#7@far")
		const n = 100
		handled := 0
		_, _ = k.Spawn(table{
			"_start": func(c *kernel.Context) error {
				for range n {
					if err := far.Post("it", 5, "e"); err != nil {
						return err
					}
				}
				return nil
			},
			"e": func(c *kernel.Context) error {
				if handled++; handled == n/2 {
					c.Stop()
				}
				return nil
			},
			"f": func(c *kernel.Context) error {
				if c.Sender() != "#7@far" {
					t.Errorf("called by %v", c.Sender())
				}
				c.Return("f")
				return nil
			},
		}, kernel.Alias("it"))
		if v, err := far.Call(context.Background(), "it", 0, "f"); v != "f" || err != nil {
			t.Errorf("Call gave %v, %v", v, err)
		}
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if handled != n/2 || all.Handled() != n {
			t.Errorf("%d handled, %d counted; want %d, %d", handled, all.Handled(), n/2, n)
		}
	})
}

func TestPostElsewhereInStopIsDropped(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var lost []kernel.Record
		k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{Dropped: func(r kernel.Record, _ kernel.Reason) { lost = append(lost, r) }}})
		e := &echoNode{k: k, all: k.Strangers()}
		_, _ = k.AttachRemote(e)
		_, _ = k.Spawn(table{
			"_start": func(*kernel.Context) error { return nil },
			"_stop":  func(c *kernel.Context) error { return c.Post("logger@far", "bye", 1) },
		})
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(e.sent) != 0 || len(lost) != 1 || lost[0].To != "logger@far" || lost[0].Event != "bye" {
			t.Errorf("sent %v, lost %+v", e.sent, lost)
		}
	})
}
