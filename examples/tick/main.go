// Tick is the smallest program: one session, one timer, three ticks. It ends by
// itself, because nothing is left that could wake the session.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const Tick kernel.Event[int] = "tick" // an event is a typed name

type clock struct{ limit int }

func (k *clock) start(c *kernel.Context) error { return Tick.Yield(c, 1) }

func (k *clock) tick(c *kernel.Context, n int) error {
	fmt.Println("tick", n)
	if n < k.limit {
		Tick.Delay(c, time.Second, n+1)
	}
	return nil // nothing left to wake it: the session stops, then Run returns
}

func main() {
	k := kernel.New(kernel.Config{})
	clk := &clock{limit: 3}
	_, err := k.Spawn(session.New(
		session.Handle("_start", clk.start),
		session.On(Tick, clk.tick),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
