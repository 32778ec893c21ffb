package main

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// patience is how many units a client waits for an answer before it asks again.
const patience = 50

// client does something without the file, then something with it, in turns.
type client struct{ id, round int }

func startClient(k *kernel.Kernel, id int) error {
	cl := &client{id: id}
	_, err := k.Spawn(session.New(
		session.Handle("_start", cl.start),
		session.Handle("play", cl.play),
		session.Handle("acquire", cl.acquire),
		session.Handle("refused", cl.refused),
		session.Handle("work", cl.work),
		session.Handle("release", cl.release),
		session.Handle("_stop", cl.stop),
	))
	return err
}

func (cl *client) say(what string) { fmt.Printf("client-%d: %s\n", cl.id, what) }

func (cl *client) start(c *kernel.Context) error {
	cl.say("starts")
	return c.Yield("play")
}

func (cl *client) play(c *kernel.Context) error {
	c.AlarmClear("release") // it was answered
	if cl.round++; cl.round > *rounds {
		return nil // no timer, no event: the session stops
	}
	cl.say("plays")
	c.Delay("acquire", *unit)
	return nil
}

func (cl *client) acquire(c *kernel.Context) error {
	cl.say("wants the file")
	c.Delay("acquire", patience**unit) // unless there is an answer first
	return Lock.Post(c, "lockd", request{lock: "file", yes: "work", no: "refused"})
}

func (cl *client) refused(c *kernel.Context) error {
	cl.say("has to wait")
	c.Delay("acquire", *unit) // in place of the long one
	return nil
}

func (cl *client) work(c *kernel.Context) error {
	cl.say("works with the file")
	c.AlarmClear("acquire")
	c.Delay("release", *unit)
	return nil
}

func (cl *client) release(c *kernel.Context) error {
	cl.say("gives the file back")
	c.Delay("release", patience**unit)
	return Unlock.Post(c, "lockd", request{lock: "file", yes: "play", no: "play"}) // it is not ours in any case
}

func (cl *client) stop(*kernel.Context) error {
	cl.say("stops")
	return nil
}
