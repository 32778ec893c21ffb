// Forkbomb has one session make more of itself, and those more again, until a
// limit is reached; then all of them go. It shows who is told what when sessions
// come, go and change parents.
//
// A session makes up its mind to end by posting nothing more. Its children hold
// it, so the tree comes down from its leaves, and each parent loses one child after
// the other: _child "lose". POE's sample forces the end by an event named _stop,
// which in fact just runs that handler. Here -force calls c.Stop: a session that has
// children leaves them to its parent, which gets _child "gain", and each of them
// _parent, with the old and the new one.
//
// What sessions share needs an owner or a lock as soon as they run in parallel:
// that is the census, which numbers them. Chance is each session's own.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var (
	limit = flag.Int64("limit", 200, "how many sessions to make")
	force = flag.Bool("force", false, "sessions end at once, and leave their children to their parents")
)

// census is how many sessions were asked for so far. It may pass the limit.
var census atomic.Int64

// bomb is one session.
type bomb struct {
	id   int64
	luck chance
}

func newBomb(id int64) *session.Session {
	b := &bomb{id: id, luck: newChance(id)}
	return session.New(
		session.Handle("_start", b.start),
		session.Handle("fork", b.fork),
		session.Handle("id", b.tellID),
		session.Handle("_child", b.child),
		session.Handle("_parent", b.parent),
		session.Handle("caught", b.caught),
		session.Handle("_stop", b.stop),
	)
}

func (b *bomb) say(format string, args ...any) {
	fmt.Printf("%d: %s\n", b.id, fmt.Sprintf(format, args...))
}

func (b *bomb) start(c *kernel.Context) error {
	b.say("starts")
	c.Sig("INT", "caught")
	c.Return(fmt.Sprintf("I am %d", b.id))
	return c.Yield("fork")
}

// fork makes a child or does not, and goes on or does not.
func (b *bomb) fork(c *kernel.Context) error {
	if census.Load() >= *limit {
		return b.end(c, "the limit is reached")
	}
	if b.luck.oneIn(2) {
		id := census.Add(1)
		if id > *limit { // somebody else made the last one just now
			return b.end(c, "the limit is reached")
		}
		b.say("makes a child")
		if _, err := c.Spawn(newBomb(id)); err != nil {
			return err
		}
	} else {
		b.say("does nothing")
	}
	if census.Load() < *limit/2 || b.luck.oneIn(20) {
		return c.Yield("fork")
	}
	return b.end(c, "has had enough")
}

func (b *bomb) end(c *kernel.Context, why string) error {
	b.say("%s", why)
	if *force && b.id != 1 { // the first one stays, to be told of the others
		c.Stop()
	}
	return nil
}

func (b *bomb) child(c *kernel.Context) error {
	reason, child, value := c.Arg(0), c.Arg(1).(kernel.Address), c.Arg(2)
	id, err := idOf(c, child)
	if err != nil {
		return err
	}
	if reason == "create" {
		b.say("create %d, which says: %v", id, value)
		return nil
	}
	b.say("%s %d", reason, id)
	return nil
}

func (b *bomb) parent(c *kernel.Context) error {
	from, err := idOf(c, c.Arg(0).(kernel.Address))
	if err != nil {
		return err
	}
	to, err := idOf(c, c.Arg(1).(kernel.Address))
	if err != nil {
		return err
	}
	b.say("goes from parent %d to %d", from, to)
	return nil
}

// idOf asks a session for its number. The kernel, parent of those that have no
// other, is number 0.
func idOf(c *kernel.Context, session kernel.Address) (int64, error) {
	if session == "" {
		return 0, nil
	}
	id, err := c.Call(session, "id")
	if err != nil {
		return 0, err
	}
	return id.(int64), nil
}

func (b *bomb) tellID(c *kernel.Context) error {
	c.Return(b.id)
	return nil
}

func (b *bomb) caught(c *kernel.Context) error {
	b.say("catches %s", c.Arg(0)) // and does not say that it handled it
	return nil
}

func (b *bomb) stop(*kernel.Context) error {
	b.say("stops")
	return nil
}

func main() {
	k := kernel.New(mode.FromFlags())
	if _, err := k.Spawn(newBomb(census.Add(1))); err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
