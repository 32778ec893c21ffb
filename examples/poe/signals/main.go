// Signals shows the three kinds of signals. Those of the operating system, such as
// an interrupt, reach every session that watches them. A program makes others
// itself, with any name: sent to a session they reach it and its children, sent to
// the kernel everyone.
//
// sig is c.Sig, signal is c.Signal; an empty address is the kernel. Most names stop
// nobody, FOO and QUUX among them. INT does: unless a handler calls c.SigHandled,
// every session that it reached stops, watching or not. A watch does not hold a
// session; here the timers do.
//
// POE's sample rings until it is interrupted, and so does this one with -rings 0.
// Otherwise the second session interrupts both when it has rung often enough. A
// second of the original is two ticks.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var (
	tick  = flag.Duration("tick", 50*time.Millisecond, "how long a tick is")
	rings = flag.Int("rings", 6, "how often the second session rings before it interrupts; 0: until somebody else does")
)

// first rings every other tick, and signals FOO to itself.
func first() *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			fmt.Println("first: starts")
			c.Sig("INT", "caught")
			c.Sig("FOO", "caught")
			c.Sig("QUUX", "caught", "for everyone") // the handler gets the signal's data, then this
			c.Delay("ring", 2**tick)
			return nil
		}),
		session.Handle("ring", func(c *kernel.Context) error {
			fmt.Println("first: rings, and signals FOO to itself")
			c.Delay("ring", 2**tick)
			return c.Signal(c.Self(), "FOO")
		}),
		session.Handle("caught", func(c *kernel.Context) error {
			fmt.Println("first: catches", c.Args())
			return nil
		}),
		session.Handle("_stop", stop("first")),
	)
}

// second rings every tick, and signals QUUX to everyone.
func second() *session.Session {
	rung := 0
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			fmt.Println("second: starts")
			c.Sig("INT", "caught")
			c.Sig("FOO", "caught") // never comes: it is the first session's own
			c.Sig("QUUX", "caught")
			c.Delay("ring", *tick)
			return nil
		}),
		session.Handle("ring", func(c *kernel.Context) error {
			fmt.Println("second: rings, and signals QUUX to everyone")
			if err := c.Signal("", "QUUX", rung); err != nil {
				return err
			}
			if rung++; rung == *rings {
				return c.Signal("", "INT")
			}
			c.Delay("ring", *tick)
			return nil
		}),
		session.Handle("caught", func(c *kernel.Context) error {
			fmt.Println("second: catches", c.Args())
			return nil
		}),
		session.Handle("_stop", stop("second")),
	)
}

func stop(name string) kernel.Handler {
	return func(*kernel.Context) error {
		fmt.Printf("%s: stops\n", name)
		return nil
	}
}

func main() {
	k := kernel.New(mode.FromFlags())
	for _, s := range []*session.Session{first(), second()} {
		if _, err := k.Spawn(s); err != nil {
			log.Fatal(err)
		}
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
