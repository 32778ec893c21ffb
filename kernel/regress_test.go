package kernel_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestK25_PostToAChildAfterAYield: in POE's order a child without any hold is
// still there when its creator's next event is handled.
func TestK25_PostToAChildAfterAYield(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		var child kernel.Address
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) (err error) {
				child, err = c.Spawn(table{"hello": k.noting("hello")})
				return errors.Join(err, c.Yield("next"))
			},
			"next":   func(c *kernel.Context) error { return c.Post(child, "hello") },
			"_child": nop.none,
		})
		k.run()
		k.wantNotes("hello")
	})
}

// A panic is one failure, however far its error is handed on by the session that
// panicked.
func TestG7_OnePanicOneDIE(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("outer") },
			"outer": func(c *kernel.Context) error {
				_, err := c.Call(c.Self(), "inner")
				return fmt.Errorf("inner: %w", err)
			},
			"inner": func(*kernel.Context) error { panic("boom") },
			"die":   func(c *kernel.Context) error { k.note("DIE"); c.SigHandled(); return nil },
		})
		k.run()
		k.wantNotes("DIE")
	})
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
