package main

import (
	"fmt"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Add puts the item of a number into a cart. To add one twice does no harm: who has got
// no answer asks again.
const Add kernel.Event[int] = "add"

// Receipt is a cart's answer.
type Receipt struct {
	Items int    // that are in it, and on the disk
	Node  string // where it is
	Epoch uint64 // under which its node owns it
}

func init() {
	cluster.Register[Receipt]("shop.Receipt")
	cluster.Register[Page]("shop.Page")
}

// cart is the session of one customer's cart. The cluster sees to it that no event of it
// is begun by anybody but the owner of its key; the epoch sees to the rest.
type cart struct {
	node  string
	key   cluster.Key
	items int
}

func newCart(node string, key cluster.Key) kernel.Receiver {
	t := &cart{node: node, key: key}
	return session.New(session.Handle("_start", t.start), session.On(Add, t.add))
}

// start reads what an earlier owner has written, and has its writes refused from now on.
func (t *cart) start(c *kernel.Context) error {
	v, err := Read.Call(c, disk+"@"+client, Page{Cart: t.key.Key, Epoch: t.key.Epoch})
	if err != nil {
		return fmt.Errorf("cart of %s: %v", t.key.Key, err)
	}
	page, ok := v.(Page)
	if !ok {
		return fmt.Errorf("cart of %s: the disk answers with a %T", t.key.Key, v)
	}
	t.items = page.Items
	return nil
}

// add promises nothing that is not written. Its error is the disk's, but for its kind:
// with %w a disk that is out of reach would look like a cart that is.
func (t *cart) add(c *kernel.Context, number int) error {
	if number == t.items+1 {
		if _, err := Write.Call(c, disk+"@"+client, Page{t.key.Key, t.key.Epoch, number}); err != nil {
			return fmt.Errorf("cart of %s: %v", t.key.Key, err)
		}
		t.items = number
	}
	c.Return(Receipt{t.items, t.node, t.key.Epoch})
	return nil
}
