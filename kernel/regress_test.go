package kernel_test

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestK25_PostToAChildAfterAYield: in POE's order a child without any hold is
// still there when its creator's next event is handled.
func TestK25_PostToAChildAfterAYield(t *testing.T) {
	k := kernel.New(kernel.Config{Mode: kernel.Serial})
	var child kernel.Address
	heard := false
	_, err := k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.Yield("go") }),
		session.Handle("go", func(c *kernel.Context) (err error) {
			child, err = c.Spawn(session.New(session.Handle("hello", func(*kernel.Context) error { heard = true; return nil })))
			return errors.Join(err, c.Yield("next"))
		}),
		session.Handle("next", func(c *kernel.Context) error { return c.Post(child, "hello") }),
	))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Run(t.Context()); err != nil || !heard {
		t.Fatalf("heard %v, %v", heard, err)
	}
}

func TestEventsNeedNames(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
		k := kernel.New(kernel.Config{Mode: mode})
		at, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
			_, called := c.Call(c.Self(), "")
			for i, err := range []error{c.Yield(""), c.Post(c.Self(), ""), called} {
				if !errors.Is(err, kernel.ErrArgument) {
					t.Errorf("%v, %d: %v", mode, i, err)
				}
			}
			return nil
		})))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Post(at, ""); !errors.Is(err, kernel.ErrArgument) {
			t.Errorf("%v: %v", mode, err)
		}
		if err := k.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
