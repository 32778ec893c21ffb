// Tail shows what is appended to a file, as tail -F does, until Ctrl-C: the file
// may be renamed, made anew, truncated, or not be there yet.
//
//	go run ./examples/tail /var/log/syslog
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	Line   kernel.Event[string]       = "line"
	Turned kernel.Event[wheel.Reset]  = "turned" // the log
	Failed kernel.Event[*wheel.Error] = "failed"
	Quit   kernel.Event[string]       = "quit"
)

type reader struct {
	path string
	tail *wheel.FollowTail[string]
}

func (r *reader) start(c *kernel.Context) (err error) {
	c.Sig("INT", Quit.Name())
	r.tail, err = wheel.NewFollowTail(c, wheel.FollowTailConfig[string]{
		Filename: r.path, Filter: filter.Line(), InputEvent: Line, ResetEvent: Turned, ErrorEvent: Failed,
	})
	if err == nil {
		fmt.Printf("==> %s: following <==\n", r.path)
	}
	return err
}

func (r *reader) line(_ *kernel.Context, s string) error {
	fmt.Println(s)
	return nil
}

func (r *reader) turned(_ *kernel.Context, to wheel.Reset) error {
	fmt.Printf("==> %s: %s <==\n", r.path, to.Reason)
	return nil
}

func (r *reader) failed(_ *kernel.Context, e *wheel.Error) error { return e }

func (r *reader) quit(c *kernel.Context) error {
	c.SigHandled()
	r.tail.Close() // nothing is left to wait for: the session stops, then Run returns
	return nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tail FILE")
	}
	r := &reader{path: os.Args[1]}
	k := kernel.New(kernel.Config{})
	_, err := k.Spawn(session.New(
		session.Handle("_start", r.start),
		session.On(Line, r.line),
		session.On(Turned, r.turned),
		session.On(Failed, r.failed),
		session.Handle(Quit, r.quit),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
