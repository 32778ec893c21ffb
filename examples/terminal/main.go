// Terminal talks to a server line by line: what the server sends appears above the
// line that you are typing. Arrow keys bring back what you sent, Tab completes words
// that were seen before, Control-C drops the line, Control-D hangs up.
//
//	go run ./examples/terminal [-history FILE] HOST:PORT
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	Connected kernel.Event[net.Conn]            = "connected"
	Failed    kernel.Event[*wheel.Error]        = "failed"
	Received  kernel.Event[string]              = "received"
	HungUp    kernel.Event[error]               = "hung_up"
	Typed     kernel.Event[wheel.ReadLineInput] = "typed"
	Complete  kernel.Event[*wheel.Completion]   = "complete"
)

type client struct {
	address string
	history *wheel.History
	screen  *wheel.ReadLine
	server  *wheel.ReadWrite[string, string]
	words   []string // seen, sorted
}

func (cl *client) start(c *kernel.Context) (err error) {
	cl.screen, err = wheel.NewReadLine(c, wheel.ReadLineConfig{
		InputEvent: Typed, CompleteEvent: Complete, PutMode: wheel.PutImmediate, History: cl.history,
	})
	if err != nil {
		return err
	}
	_, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		RemoteAddress: cl.address, SuccessEvent: Connected, FailureEvent: Failed,
	})
	return err
}

func (cl *client) connected(c *kernel.Context, conn net.Conn) (err error) {
	cl.server, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: Received, CloseEvent: HungUp,
	})
	return errors.Join(err, cl.screen.Put("Connected to "+conn.RemoteAddr().String()), cl.screen.Get("> "))
}

func (cl *client) failed(_ *kernel.Context, e *wheel.Error) error { return e } // nobody handles it: Run returns it

func (cl *client) received(_ *kernel.Context, line string) error {
	line = strings.Map(visible, line)
	cl.learn(line)
	return cl.screen.Put(line)
}

// visible keeps a server from sending the terminal commands.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return '?'
	}
	return r
}

func (cl *client) typed(_ *kernel.Context, in wheel.ReadLineInput) error {
	switch in.Err {
	case nil:
		cl.learn(in.Text)
		if err := cl.server.Put(in.Text); err != nil {
			return err
		}
	case io.EOF:
		cl.server.CloseFlushed()
		cl.screen.CloseFlushed()
		return nil
	}
	return cl.screen.Get("> ")
}

func (cl *client) complete(_ *kernel.Context, q *wheel.Completion) error {
	for _, w := range cl.words {
		if strings.HasPrefix(w, q.Word) {
			q.Candidates = append(q.Candidates, w)
		}
	}
	return nil
}

const maxWords = 10000

func (cl *client) learn(line string) {
	for _, w := range strings.Fields(line) {
		if i, known := slices.BinarySearch(cl.words, w); !known && len(cl.words) < maxWords {
			cl.words = slices.Insert(cl.words, i, w)
		}
	}
}

func (cl *client) hungUp(_ *kernel.Context, reason error) error {
	if cl.screen.Put("The server has hung up.") == nil {
		cl.screen.CloseFlushed()
	}
	return reason
}

func main() {
	file := flag.String("history", "", "where to keep what was sent")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "terminal: want one argument, HOST:PORT")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *file); err != nil {
		fmt.Fprintln(os.Stderr, "terminal:", err)
		os.Exit(1)
	}
}

func run(address, file string) error {
	cl := &client{address: address, history: &wheel.History{}}
	if file != "" {
		if err := cl.history.ReadFile(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	k := kernel.New(kernel.Config{})
	_, err := k.Spawn(session.New(
		session.Handle("_start", cl.start),
		session.On(Connected, cl.connected),
		session.On(Failed, cl.failed),
		session.On(Received, cl.received),
		session.On(HungUp, cl.hungUp),
		session.On(Typed, cl.typed),
		session.On(Complete, cl.complete),
	))
	if err == nil {
		err = k.Run(context.Background())
	}
	if file != "" {
		err = errors.Join(err, cl.history.WriteFile(file))
	}
	return err
}
