package kernel_test

import (
	"errors"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// What is told once comes, however full the queue is, and takes nobody's place.
func TestG12_QueueLimitDoesNotCountWhatIsTold(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.spawn(table{"_start": func(*kernel.Context) error { return nil }, "_stop": func(*kernel.Context) error { return nil },
			"end": func(c *kernel.Context) error { c.Stop(); return nil }}, kernel.Alias("other"))
		var busy kernel.Address
		busy = k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Monitor(other, "gone") },
			"_stop":  func(*kernel.Context) error { return nil },
			"fill": func(c *kernel.Context) error {
				c.Delay("again", 10*time.Millisecond)
				must(c.Yield("x"))
				if _, err := c.Call(other, "end"); err != nil {
					return err
				}
				must(k.Tell(busy, "told"))
				if err := c.Yield("x"); !errors.Is(err, kernel.ErrQueueFull) {
					t.Errorf("Yield over the limit: %v", err)
				}
				return nil
			},
			"gone": func(*kernel.Context) error { k.note("gone"); return nil },
			"told": func(c *kernel.Context) error { k.note("told"); return nil },
			"x":    func(*kernel.Context) error { k.note("x"); return nil },
			"again": func(c *kernel.Context) error {
				must(c.Yield("x"))
				if err := c.Yield("x"); !errors.Is(err, kernel.ErrQueueFull) {
					t.Errorf("Yield over the limit, afterwards: %v", err)
				}
				return nil
			},
		}, kernel.Alias("busy"), kernel.QueueLimit(1))
		must(k.Post(busy, "fill"))
		k.run()
		k.wantSet("x", "gone", "told", "x")
		if err := k.Tell(busy, "told"); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("Tell who has ended: %v", err)
		}
	})
}

// A post over the limit is refused, with the event in hand; as events leave,
// there is room again; and what was refused is not handled.
func TestG12_QueueLimit(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		const limit = 3
		limited := table{
			"_start": func(c *kernel.Context) error { return nil },
			"x":      func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
			"self": func(c *kernel.Context) error { // its own posts count, timers do not
				c.DelayAdd("x", 0, "timer")
				for i := range limit {
					must(c.Yield("x", i))
				}
				if err := c.Yield("x", "self over"); !errors.Is(err, kernel.ErrQueueFull) {
					t.Errorf("Yield over the limit: %v", err)
				}
				return nil
			},
		}
		a := k.spawn(limited, kernel.Alias("limited"), kernel.QueueLimit(limit))
		for i := range limit {
			must(k.Post(a, "x", i))
		}
		var pe *kernel.PostError
		if err := k.Post(a, "x", "over"); !errors.Is(err, kernel.ErrQueueFull) || !errors.As(err, &pe) || pe.Args[0] != "over" {
			t.Errorf("Post over the limit: %v", err)
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				if err := c.Post(a, "x", "over, too"); !errors.Is(err, kernel.ErrQueueFull) {
					t.Errorf("Context.Post over the limit: %v", err)
				}
				if _, err := c.Call(a, "x", "call"); err != nil { // a call does not queue
					t.Errorf("Call: %v", err)
				}
				return nil
			},
			"_stop": func(*kernel.Context) error { return nil },
		})
		k.run()
		k.wantNotes("call", "0", "1", "2")

		k.notes = nil
		b := k.spawn(limited, kernel.QueueLimit(limit))
		must(k.Post(b, "self"))
		k.run()
		k.wantSet("0", "1", "2", "timer")
	})
}
