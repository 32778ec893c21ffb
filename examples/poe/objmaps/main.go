// Objmaps makes sessions of objects whose methods have other names than the
// events they handle: POE's object_states with a map.
//
// In Go every table is such a map: session.Handle pairs the event's name with a
// method value. c.State takes one, too, so that an object can add a handler and
// take it away again while its session runs. Here an echo is posted only while
// there is a handler for it, and arrives before the handler goes.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const limit = 5

// counter is the object; its fields are what POE's heap would hold.
type counter struct {
	name  string
	count int
}

// states is the map from events to methods.
func (o *counter) states() []session.State {
	return []session.State{
		session.Handle("_start", o.begin),
		session.Handle("increment", o.countUp),
		session.Handle("_stop", o.end),
	}
}

func (o *counter) begin(c *kernel.Context) error {
	fmt.Printf("%s: begins\n", o.name)
	return c.Yield("increment")
}

func (o *counter) countUp(c *kernel.Context) error {
	o.count++
	fmt.Printf("%s: %d\n", o.name, o.count)
	if o.count%2 == 1 {
		c.State("echo", o.repeat)
		if err := c.Yield("echo", o.count); err != nil {
			return err
		}
	} else {
		c.State("echo", nil)
	}
	if o.count < limit {
		return c.Yield("increment")
	}
	return nil // nothing more to come: the session stops
}

func (o *counter) repeat(c *kernel.Context) error {
	fmt.Printf("%s: %d, again\n", o.name, c.Arg(0))
	return nil
}

func (o *counter) end(*kernel.Context) error {
	fmt.Printf("%s: ends at %d\n", o.name, o.count)
	return nil
}

func main() {
	k := kernel.New(mode.FromFlags())
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		o := &counter{name: name}
		if _, err := k.Spawn(session.New(o.states()...)); err != nil {
			log.Fatal(err)
		}
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
