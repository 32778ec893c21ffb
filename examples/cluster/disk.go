package main

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// disk is the alias of the toy disk.
const disk = "disk"

// What the disk takes. Both answer with the page as it is then.
const (
	Read  kernel.Event[Page] = "read"
	Write kernel.Event[Page] = "write"
)

// Page is what is written of a cart, and under which epoch.
type Page struct {
	Cart  string
	Epoch uint64 // the fencing token of who reads or writes
	Items int
}

// newDisk stands for a database. All that matters is that it refuses whoever comes with
// a lower epoch than it has seen: a node that was paused in the middle of a handler, and
// does not know yet that its cart is another's. Reading counts, too, or the old owner
// could still write after the new one has read.
func newDisk() kernel.Receiver {
	pages := map[string]Page{}
	newer := func(p Page) error {
		if last := pages[p.Cart]; p.Epoch < last.Epoch {
			return fmt.Errorf("the cart of %s is owned under epoch %d; %d is over", p.Cart, last.Epoch, p.Epoch)
		}
		return nil
	}
	return session.New(
		session.On(Read, func(c *kernel.Context, p Page) error {
			if err := newer(p); err != nil {
				return err
			}
			p.Items = pages[p.Cart].Items
			pages[p.Cart] = p
			c.Return(p)
			return nil
		}),
		session.On(Write, func(c *kernel.Context, p Page) error {
			if err := newer(p); err != nil {
				return err
			}
			pages[p.Cart] = p
			c.Return(p)
			return nil
		}),
	)
}
