// Create makes sessions in POE's two ways: from functions, as inline_states does,
// and from the methods of an object, as object_states does.
//
// Both are a table for session.New. A function's heap is the variables it closes
// over; a method value is the object and the method in one. The first event for a
// new session may be posted right after Spawn returned: nothing takes the session
// away meanwhile.
//
// The parent hears of its children by _child: "create", with what the child's
// _start gave to c.Return, before Spawn returns; "lose" when it has ended. While
// the parent is told of the loss, the child can still be called.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const laps = 3

// inline is a session made of functions; lap is its heap.
func inline(name string) *session.Session {
	lap := 0
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			fmt.Printf("%s: starts, made of functions\n", name)
			c.Return("here is " + name)
			return nil
		}),
		session.Handle("run", func(c *kernel.Context) error {
			lap++
			fmt.Printf("%s: lap %d\n", name, lap)
			twice, err := c.Call(c.Self(), "twice", lap)
			if err != nil {
				return err
			}
			fmt.Printf("%s: the call returned %d\n", name, twice)
			if lap < laps {
				return c.Yield("run")
			}
			return nil // no event is left that could wake it: the session ends
		}),
		session.Handle("twice", func(c *kernel.Context) error {
			fmt.Printf("%s: is called with %d\n", name, c.Arg(0))
			c.Return(2 * c.Arg(0).(int))
			return nil
		}),
		session.Handle("name", func(c *kernel.Context) error {
			c.Return(name)
			return nil
		}),
		session.Handle("_stop", func(*kernel.Context) error {
			fmt.Printf("%s: stops\n", name)
			return nil
		}),
	)
}

// runner is the same as an object.
type runner struct {
	name string
	lap  int
}

func (r *runner) session() *session.Session {
	return session.New(
		session.Handle("_start", r.start),
		session.Handle("run", r.run),
		session.Handle("twice", r.twice),
		session.Handle("name", r.tellName),
		session.Handle("_stop", r.stop),
	)
}

func (r *runner) start(c *kernel.Context) error {
	fmt.Printf("%s: starts, made of methods\n", r.name)
	c.Return("here is " + r.name)
	return nil
}

func (r *runner) run(c *kernel.Context) error {
	r.lap++
	fmt.Printf("%s: lap %d\n", r.name, r.lap)
	twice, err := c.Call(c.Self(), "twice", r.lap)
	if err != nil {
		return err
	}
	fmt.Printf("%s: the call returned %d\n", r.name, twice)
	if r.lap < laps {
		return c.Yield("run")
	}
	return nil
}

func (r *runner) twice(c *kernel.Context) error {
	fmt.Printf("%s: is called with %d\n", r.name, c.Arg(0))
	c.Return(2 * c.Arg(0).(int))
	return nil
}

func (r *runner) tellName(c *kernel.Context) error {
	c.Return(r.name)
	return nil
}

func (r *runner) stop(*kernel.Context) error {
	fmt.Printf("%s: stops\n", r.name)
	return nil
}

// The parent's handlers need no state at all.

func start(c *kernel.Context) error {
	var children []kernel.Receiver
	for _, name := range []string{"one", "two", "three"} {
		children = append(children, inline(name))
	}
	for _, name := range []string{"four", "five", "six"} {
		children = append(children, (&runner{name: name}).session())
	}
	for _, r := range children {
		child, err := c.Spawn(r)
		if err != nil {
			return err
		}
		if err := c.Post(child, "run"); err != nil {
			return err
		}
	}
	return nil
}

func child(c *kernel.Context) error {
	reason, child, value := c.Arg(0), c.Arg(1).(kernel.Address), c.Arg(2)
	name, err := c.Call(child, "name")
	if err != nil {
		return err
	}
	if reason == "create" {
		fmt.Printf("parent: create %s, which says: %s\n", name, value)
		return nil
	}
	fmt.Printf("parent: %s %s\n", reason, name)
	return nil
}

func stop(*kernel.Context) error {
	fmt.Println("parent: stops")
	return nil
}

func main() {
	k := kernel.New(mode.FromFlags())
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
