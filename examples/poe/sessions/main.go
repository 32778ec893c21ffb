// Sessions shows what makes a session: an ID, the arguments of its creation,
// events it posts to itself, and handlers that come and go while it runs.
//
// IDs are addresses ("#2"), never used again. POE's args are kernel.Args, a new
// session's first arguments. $kernel->state is c.State; as in POE the handler is
// looked up when an event is dispatched, not when it is posted: each runner posts
// an echo in every lap, but has a handler for it only during odd laps, and the
// echo arrives one lap later.
//
// POE drops an event without a handler in silence. Here the kernel warns of it,
// unless the program has an observer, as this one, which wants the silence.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const laps = 5

// Lap is a typed event: its argument is the number of the lap.
const Lap kernel.Event[int] = "lap"

// runner is a child session.
type runner struct{ name string }

func newRunner() *session.Session {
	r := &runner{}
	return session.New(
		session.Handle("_start", r.start),
		session.On(Lap, r.lap),
		session.Handle("_stop", r.stop),
	)
}

func (r *runner) start(c *kernel.Context) error {
	r.name = c.Arg(0).(string)
	fmt.Printf("%s %s: starts\n", c.Self(), r.name)
	c.Return("hello from " + r.name)
	return nil
}

func (r *runner) lap(c *kernel.Context, n int) error {
	fmt.Printf("%s %s: lap %d\n", c.Self(), r.name, n)
	if n%2 == 1 {
		c.State("echo", r.echo)
	} else {
		c.State("echo", nil)
	}
	if n == laps {
		return nil
	}
	if err := Lap.Yield(c, n+1); err != nil {
		return err
	}
	return c.Yield("echo", n)
}

func (r *runner) echo(c *kernel.Context) error {
	fmt.Printf("%s %s: echo of lap %d\n", c.Self(), r.name, c.Arg(0))
	return nil
}

func (r *runner) stop(c *kernel.Context) error {
	fmt.Printf("%s %s: stops\n", c.Self(), r.name)
	c.Return("goodbye from " + r.name)
	return nil
}

// The parent's handlers.

func start(c *kernel.Context) error {
	for _, name := range []string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"} {
		child, err := c.Spawn(newRunner(), kernel.Args(name))
		if err != nil {
			return err
		}
		if err := Lap.Post(c, child, 1); err != nil {
			return err
		}
	}
	return nil
}

func child(c *kernel.Context) error {
	fmt.Printf("%s parent: %s %s, %s\n", c.Self(), c.Arg(0), c.Arg(1), c.Arg(2))
	return nil
}

func stop(c *kernel.Context) error {
	fmt.Printf("%s parent: stops\n", c.Self())
	return nil
}

func main() {
	cfg := mode.FromFlags()
	cfg.Observer = &kernel.Observer{}
	k := kernel.New(cfg)
	_, err := k.Spawn(session.New(
		session.Handle("_start", start),
		session.Handle("_child", child),
		session.Handle("_stop", stop),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
