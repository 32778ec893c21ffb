// Queue keeps a number of child sessions at work until a queue of jobs is empty:
// whenever one has left, the next is made. Children post their results to the
// parent that made them.
//
// A job learns its parent as the sender of its _start. The parent counts by _child,
// and may spawn inside that handler. A result is never too late: an event that a
// session sent holds it until the event is handled, so "lose" comes after it.
//
// POE's sample works for whole seconds, for ever. Here a job works for some turns:
// it posts itself an event for each, and the kernel lets the other jobs have their
// turns in between. In parallel mode they work at the same time.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var (
	jobs = flag.Int("jobs", 10, "how many jobs there are")
	pool = flag.Int("pool", 3, "how many of them may be at work")
)

// Work is one turn of a job, with the number of turns that are left.
const Work kernel.Event[int] = "work"

// Result is what a job gives to its parent.
const Result kernel.Event[result] = "result"

type result struct{ job, value int }

// job is a child session.
type job struct {
	id     int
	parent kernel.Address
}

func newJob(id int) *session.Session {
	j := &job{id: id}
	return session.New(
		session.Handle("_start", j.start),
		session.On(Work, j.work),
		session.Handle("_stop", j.stop),
	)
}

func (j *job) start(c *kernel.Context) error {
	j.parent = c.Sender()
	turns := 1 + j.id*7%5
	fmt.Printf("job-%d: starts, %d turns to go\n", j.id, turns)
	c.Return(j.id)
	return Work.Yield(c, turns)
}

func (j *job) work(c *kernel.Context, left int) error {
	if left > 1 {
		return Work.Yield(c, left-1)
	}
	fmt.Printf("job-%d: is done\n", j.id)
	return Result.Post(c, j.parent, result{j.id, j.id * j.id})
}

func (j *job) stop(c *kernel.Context) error {
	fmt.Printf("job-%d: stops\n", j.id)
	c.Return(j.id)
	return nil
}

// parent keeps the pool full.
type parent struct{ made, running int }

func (p *parent) start(c *kernel.Context) error {
	for range *pool {
		if err := p.next(c); err != nil {
			return err
		}
	}
	return nil
}

func (p *parent) next(c *kernel.Context) error {
	if p.made == *jobs {
		return nil
	}
	p.made++
	_, err := c.Spawn(newJob(p.made))
	return err
}

func (p *parent) child(c *kernel.Context) error {
	reason, id := c.Arg(0), c.Arg(2)
	if reason == "create" {
		p.running++
		fmt.Printf("parent: job-%d came, %d at work\n", id, p.running)
		return nil
	}
	p.running--
	fmt.Printf("parent: job-%d left, %d at work\n", id, p.running)
	return p.next(c)
}

func (p *parent) result(_ *kernel.Context, r result) error {
	fmt.Printf("parent: job-%d made %d\n", r.job, r.value)
	return nil
}

func (p *parent) stop(*kernel.Context) error {
	fmt.Println("parent: stops")
	return nil
}

func main() {
	k := kernel.New(mode.FromFlags())
	p := &parent{}
	_, err := k.Spawn(session.New(
		session.Handle("_start", p.start),
		session.Handle("_child", p.child),
		session.On(Result, p.result),
		session.Handle("_stop", p.stop),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
