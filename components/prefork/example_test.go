//go:build unix

package prefork_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	GotConn kernel.Event[net.Conn] = "got_conn"
	GotLine kernel.Event[string]   = "got_line"
	Gone    kernel.Event[error]    = "gone"
)

// An echo server on five processes. serve runs in each of them, and gives every
// connection a session of its own.
func ExampleNew() {
	k := kernel.New(kernel.Config{})
	pool, err := prefork.New(k, prefork.Config{
		Name:   "echo",
		Listen: []string{"tcp://127.0.0.1:7007"},
		Server: serve,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("master", os.Getpid(), "listens on", pool.Addrs()) // workers do not get here
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func serve(c *kernel.Context, w *prefork.Worker) error {
	at, err := c.Spawn(session.New(session.On(GotConn, func(c *kernel.Context, conn net.Conn) error {
		e := &echo{w: w, conn: conn}
		_, err := c.Spawn(session.New(
			session.Handle("_start", e.start),
			session.On(GotLine, e.line),
			session.On(Gone, func(*kernel.Context, error) error { return nil }), // nothing holds the session now
		))
		return err
	})))
	if err != nil {
		return err
	}
	w.Serve(at, GotConn)
	return nil
}

type echo struct {
	w    *prefork.Worker
	conn net.Conn
	rw   *wheel.ReadWrite[string, string]
}

func (e *echo) start(c *kernel.Context) (err error) {
	e.rw, err = wheel.NewReadWrite(c, e.conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: GotLine, CloseEvent: Gone,
	})
	return err
}

func (e *echo) line(_ *kernel.Context, line string) error {
	e.w.Requested()
	_ = e.rw.Put(line) // the client may be gone
	return nil
}
