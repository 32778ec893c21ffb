package kernel_test

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const (
	Order kernel.Event[string] = "order"
	Ready kernel.Event[string] = "ready"
)

// A kitchen is asked by post, and answers by post after a while. Nobody stops
// anybody: the guest, whom its timer holds while the dish is cooked, ends when
// nothing is left that could wake it; the kitchen, held by its alias alone, when
// the kernel is idle.
func Example() {
	k := kernel.New(kernel.Config{Mode: kernel.Simulated}) // virtual time: no waiting
	start := k.Now()

	k.Spawn(session.New(
		session.On(Order, func(c *kernel.Context, dish string) error {
			guest := c.Sender()
			c.DelayAdd("cooked", 20*time.Minute, guest, dish)
			return nil
		}),
		session.Handle("cooked", func(c *kernel.Context) error {
			return Ready.Post(c, c.Arg(0).(kernel.Address), c.Arg(1).(string))
		}),
		session.Handle("_stop", func(c *kernel.Context) error {
			fmt.Println("kitchen closes")
			return nil
		}),
	), kernel.Alias("kitchen"))

	k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			c.Delay("too late", time.Hour)
			return Order.Post(c, "kitchen", "soup")
		}),
		session.On(Ready, func(c *kernel.Context, dish string) error {
			fmt.Println(dish, "after", c.Now().Sub(start))
			c.AlarmClear("too late")
			return nil
		}),
		session.Handle("_stop", func(c *kernel.Context) error {
			fmt.Println("guest leaves")
			return nil
		}),
	))

	if err := k.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// soup after 20m0s
	// guest leaves
	// kitchen closes
}
