package session_test

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const (
	closed session.StateName = "closed"
	open   session.StateName = "open"
	locked session.StateName = "locked"
)

const (
	Push kernel.Event[struct{}] = "push"
	Lock kernel.Event[string]   = "lock"
)

// door closes by itself, and can be locked while it is closed.
type door struct{ *session.Machine }

func newDoor() *door {
	d := &door{}
	d.Machine = session.NewMachine(closed,
		session.In(closed,
			session.On(Push, d.open),
			session.On(Lock, d.lock),
		),
		session.In(open,
			session.Handle("_enter", d.wait),
			session.On(Push, d.open), // once more: it stays open for longer
			session.Handle("shut", d.shut),
		),
		session.In(locked,
			session.Handle("turned", d.turned),
			session.Handle("_default", d.refuse),
		),
		session.Transitions{
			closed: {open, locked},
			open:   {open, closed},
		},
	)
	return d
}

func (d *door) open(c *kernel.Context, _ struct{}) error { return d.Goto(c, open, "") }
func (d *door) shut(c *kernel.Context) error             { return d.Goto(c, closed, "") }

func (d *door) lock(c *kernel.Context, who string) error { return d.Goto(c, locked, "turned", who) }

func (d *door) wait(c *kernel.Context) error {
	c.Delay("shut", 5*time.Second)
	return nil
}

func (d *door) turned(c *kernel.Context) error {
	fmt.Println("locked by", c.Arg(0))
	return nil
}

func (d *door) refuse(c *kernel.Context) error {
	fmt.Println(d.Current(), "door ignores", c.Arg(0))
	return nil
}

// A visitor pushes twice, waits until the door is closed, locks it, and pushes again.
func Example_machine() {
	k := kernel.New(kernel.Config{Mode: kernel.Simulated}) // virtual time: no waiting
	d := newDoor()
	k.Spawn(d, kernel.Alias("door"))
	k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			for _, s := range []time.Duration{0, 3, 12} {
				Push.DelayAdd(c, s*time.Second, struct{}{})
			}
			for _, s := range []time.Duration{1, 7, 9} {
				c.DelayAdd("look", s*time.Second, s)
			}
			Lock.Delay(c, 10*time.Second, "the visitor")
			return nil
		}),
		session.Handle("look", func(c *kernel.Context) error {
			fmt.Printf("%s after %d s\n", d.Current(), c.Arg(0))
			return nil
		}),
		session.On(Push, func(c *kernel.Context, _ struct{}) error { return Push.Post(c, "door", struct{}{}) }),
		session.On(Lock, func(c *kernel.Context, who string) error { return Lock.Post(c, "door", who) }),
	))
	if err := k.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// open after 1 s
	// open after 7 s
	// closed after 9 s
	// locked by the visitor
	// locked door ignores push
}
