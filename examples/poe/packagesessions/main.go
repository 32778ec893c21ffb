// Packagesessions makes sessions of plain functions that belong to no object:
// POE's package_states. Every session brings a heap of its own, and with binds the
// two. Where POE's handlers take what they need from @_, these take the context
// and the heap.
//
// A _default handler gets what no other one wants, with the event's name and the
// list of its arguments. The kernel's own events come there, too, but for _start:
// these sessions have no handler for _stop.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const limit = 4

type heap struct {
	name  string
	count int
}

// with makes a handler of a function and a heap.
func with(h *heap, f func(*kernel.Context, *heap) error) kernel.Handler {
	return func(c *kernel.Context) error { return f(c, h) }
}

func start(c *kernel.Context, h *heap) error {
	h.name = c.Arg(0).(string)
	fmt.Printf("%s: starts\n", h.name)
	return c.Yield("increment")
}

func increment(c *kernel.Context, h *heap) error {
	h.count++
	fmt.Printf("%s: %d\n", h.name, h.count)
	if h.count%2 == 1 {
		c.State("odd", with(h, odd))
	} else {
		c.State("odd", nil)
	}
	if err := c.Yield("odd", h.count); err != nil {
		return err
	}
	if h.count < limit {
		return c.Yield("increment")
	}
	return nil
}

func odd(c *kernel.Context, h *heap) error {
	fmt.Printf("%s: %d is odd\n", h.name, c.Arg(0))
	return nil
}

func fallback(c *kernel.Context, h *heap) error {
	event, args := c.Arg(0), c.Arg(1)
	fmt.Printf("%s: no handler for %s %v\n", h.name, event, args)
	return nil
}

func main() {
	k := kernel.New(mode.FromFlags())
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		h := &heap{}
		_, err := k.Spawn(session.New(
			session.Handle("_start", with(h, start)),
			session.Handle("increment", with(h, increment)),
			session.Handle("_default", with(h, fallback)),
		), kernel.Args(name))
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
