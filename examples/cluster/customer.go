package main

import (
	"fmt"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// customers are so called that each node has the carts of four.
var customers = []string{"amy", "ann", "ben", "bob", "cleo", "dan", "eve", "gus", "hugo", "kim", "mia", "zoe"}

// What a customer takes.
const (
	next = "next"
	home = "home" // when there is an answer
	stop = "stop"
)

// rest is how long a customer waits before the next item.
const rest = 5 * time.Millisecond

// customer puts one item after the other into its cart, wherever that is.
type customer struct {
	name   string
	number int     // of the item that is being added
	last   Receipt // of the one before
	at     time.Time
	over   bool
}

func newCustomer(name string) kernel.Receiver {
	u := &customer{name: name, number: 1}
	return session.New(
		session.Handle("_start", u.start),
		session.Handle(next, u.next),
		session.Handle(home, func(*kernel.Context) error { u.over = true; return nil }),
		session.Handle(stop, func(c *kernel.Context) error { c.Stop(); return nil }),
	)
}

func (u *customer) start(c *kernel.Context) error {
	u.at = c.Now()
	return c.Yield(next)
}

func (u *customer) next(c *kernel.Context) error {
	v, err := Add.Call(c, cluster.Place("cart", u.name), u.number)
	if err != nil { // nobody knows whether it is in the cart; to add it again does no harm
		c.Delay(next, 10*rest)
		return Asked.Post(c, shop, err)
	}
	r, ok := v.(Receipt)
	if !ok || r.Items != u.number || r.Epoch < u.last.Epoch {
		return Gone.Post(c, shop, fmt.Errorf("%s added item %d, the last one under token %d, and got %+v", u.name, u.number, u.last.Epoch, v))
	}
	now := c.Now()
	if err := Added.Post(c, shop, answer{u.name, r, now.Sub(u.at)}); err != nil {
		return err
	}
	u.number, u.last, u.at = u.number+1, r, now
	if u.over {
		return Gone.Post(c, shop, nil)
	}
	c.Delay(next, rest)
	return nil
}
