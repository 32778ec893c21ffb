package cluster

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// A caller hears at once that its call was handled when the answer does not reach it:
// because it cannot be sent, is too long, or is of a type that the caller's node has not.
func TestAnswersThatDoNotTravel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		reports := make(chan string, 10)
		b := &real{pipe: net.pipe("b:1"), end: make(chan error, 1), k: kernel.New(kernel.Config{Observer: &kernel.Observer{
			Reported: func(_, what string, _ error) { reports <- what },
		}})}
		few := new(protoregistry.Types)
		if err := few.RegisterMessage((*wire.Registered)(nil).ProtoReflect().Type()); err != nil {
			t.Fatal(err)
		}
		list := Static{"a": "a:1", "b": "b:1"}
		var err error
		if b.Node, err = Join(b.k, Config{Name: "b", Transport: b.pipe, Directory: list}); err != nil {
			t.Fatal(err)
		}
		a := start(t, net, kernel.Parallel, "a", func(c *Config) { c.Directory, c.Types = list, few })
		a.go_()
		b.go_()
		handled := 0
		l, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
			switch handled++; c.Event() {
			case "function":
				c.Return(func() {})
			case "long":
				c.Return(strings.Repeat("x", 5<<20))
			case "type":
				c.Return(&wire.Packet{})
			case "name":
				c.Return(&wire.Registered{Type: "test.nobody has it"})
			}
			return nil
		}), kernel.Alias("x"))
		if err != nil {
			t.Fatal(err)
		}
		for event, want := range map[string]struct {
			is       error
			reported bool
		}{
			"function": {kernel.ErrNotEncodable, true},
			"long":     {ErrTooLarge, true},
			"type":     {kernel.ErrNotEncodable, false},
			"name":     {kernel.ErrNotEncodable, false},
		} {
			before, begun := handled, time.Now()
			_, err := a.k.Call(t.Context(), "x@b", event)
			if !errors.Is(err, ErrAnswer) || !errors.Is(err, want.is) || handled != before+1 {
				t.Errorf("%s: handled %d times: %v", event, handled-before, err)
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("%s: the caller hears after %v", event, took)
			}
			if got := len(reports) > 0; got != want.reported || got && <-reports != "answer not sent" {
				t.Errorf("%s: reported %v", event, got)
			}
		}
		if _, err := a.k.Call(t.Context(), "x@b", "nothing", func() {}); !errors.Is(err, kernel.ErrNotEncodable) || errors.Is(err, ErrAnswer) {
			t.Errorf("an argument: %v", err)
		}
		l.Release()
		a.stop(t)
		b.stop(t)
	})
}

// What a handler fails with is heard, however long it is and however short events are.
func TestErrorsFitInTheShortestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		short := func(c *Config) { c.MaxEvent = minEvent }
		a, b := start(t, net, kernel.Parallel, "a", short), start(t, net, kernel.Parallel, "b", short)
		a.go_()
		b.go_()
		text := ""
		l, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
			if c.Event() == "get" {
				return errors.New(text)
			}
			return nil
		}), kernel.Alias("x"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text = range []string{strings.Repeat("x", 5_000), strings.Repeat("ü", 5_000), strings.Repeat("\xff.", 5_000)} {
			_, err := a.k.Call(t.Context(), "x@b", "get")
			if there := new(NodeError); !errors.As(err, &there) || there.Err != nil || len(there.Text) < maxErrorText {
				t.Errorf("an error of %d bytes: %.200v", len(text), err)
			}
		}
		l.Release()
		a.stop(t)
		b.stop(t)
	})
}
