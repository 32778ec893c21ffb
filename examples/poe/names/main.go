// Names has sessions find each other by name. A daemon with the alias "lockd"
// lends a file; its clients know nothing of it but the alias. They ask by events
// and name the events that shall answer: one for yes, one for no.
//
// alias_set is c.AliasSet, and SENDER is c.Sender(), to which the answer goes. A
// request that names its answers is one typed argument, a struct. Nobody stops the
// daemon: an alias holds a session, but not against the signal IDLE, which comes
// when nothing else could happen any more.
//
// POE's sample retries every second until it is interrupted. Here a second is
// -unit, and the clients go home after some rounds.
package main

import (
	"context"
	"flag"
	"log"
	"time"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
)

var (
	unit    = flag.Duration("unit", 20*time.Millisecond, "how long to work, and to wait before trying again")
	rounds  = flag.Int("rounds", 2, "how often each client works with the file")
	clients = flag.Int("clients", 4, "how many clients there are")
)

func main() {
	k := kernel.New(mode.FromFlags())
	if err := startLockd(k); err != nil {
		log.Fatal(err)
	}
	for n := range *clients {
		if err := startClient(k, n+1); err != nil {
			log.Fatal(err)
		}
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
