// Selects is a server and a client made of bare handle watchers: POE's select_read
// and select_write. The server sends lines of characters to whoever connects, the
// client prints a few of them and hangs up.
//
// They are c.SelectRead and c.SelectWrite, for what package net and package os
// open. There is no call for both at once. The handler gets the handle, the mode,
// and what was given with the watch; it is called again as long as the handle is
// ready. An empty event ends a watch, which is due before the handle is closed. A
// watch holds its session: each of these three kinds ends with its last one.
//
// POE's sample says of itself that wheels were invented because every server would
// repeat its handlers. That holds here, too: wheel.NewSocketFactory and
// wheel.NewReadWrite know about connections that are gone again, and output that
// the other side does not take.
//
// The original serves until it is interrupted; this one has served enough when its
// client has gone.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/usher-go/usher/examples/poe/internal/mode"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var lines = flag.Int("lines", 5, "how many lines the client wants to see")

func main() {
	k := kernel.New(mode.FromFlags())
	srv := &server{}
	if _, err := k.Spawn(session.New(
		session.Handle("_start", srv.start),
		session.Handle("accept", srv.accept),
		session.Handle("_child", srv.child),
		session.Handle("_stop", srv.stop),
	)); err != nil {
		log.Fatal(err)
	}
	cl := &client{}
	if _, err := k.Spawn(session.New(
		session.Handle("_start", cl.start),
		session.Handle("read", cl.read),
		session.Handle("_stop", cl.stop),
	), kernel.Args(srv.listener.Addr().String())); err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
