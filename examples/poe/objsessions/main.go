// Objsessions makes objects that bring their own session: the constructor spawns
// it, and whoever calls the constructor need not know that sessions exist.
//
// POE's object_states with a list takes methods that are named as their events.
// Go does not look methods up by name, so the constructor writes the pairs down.
// What the object holds goes when the session ends and nobody else knows the
// object; the place for what has to be done then is _stop, since there is no
// DESTROY.
//
// These sessions are made before Run, and their _start runs at once. They have no
// parent, hence nobody gets _child.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// walker takes some steps, one in each turn.
type walker struct {
	name        string
	steps, done int
}

// newWalker sets a walker going.
func newWalker(k *kernel.Kernel, name string, steps int) error {
	w := &walker{name: name, steps: steps}
	fmt.Printf("%s: is an object\n", name)
	_, err := k.Spawn(session.New(
		session.Handle("_start", w.start),
		session.Handle("step", w.step),
		session.Handle("_stop", w.stop),
	))
	return err
}

func (w *walker) start(c *kernel.Context) error {
	fmt.Printf("%s: is a session, too\n", w.name)
	return c.Yield("step")
}

func (w *walker) step(c *kernel.Context) error {
	w.done++
	fmt.Printf("%s: step %d of %d\n", w.name, w.done, w.steps)
	if w.done < w.steps {
		return c.Yield("step")
	}
	return nil
}

func (w *walker) stop(*kernel.Context) error {
	fmt.Printf("%s: stops after step %d\n", w.name, w.done)
	return nil
}

func main() {
	k := kernel.New(mode.FromFlags())
	for i, name := range []string{"one", "two", "three", "four", "five"} {
		if err := newWalker(k, name, 1+i*3%5); err != nil {
			log.Fatal(err)
		}
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
