package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// What sessions in a worker take.
const (
	GotConn  kernel.Event[net.Conn]      = "got_conn"
	GotLine  kernel.Event[string]        = "got_line"
	GotPrice kernel.Event[backend.Reply] = "got_price"
	Gone     kernel.Event[error]         = "gone"
	Trouble  kernel.Event[*wheel.Error]  = "trouble"
)

// serve is the worker's main: it opens this process's connection to the backend
// and names the session that gets the clients' connections.
func serve(c *kernel.Context, w *prefork.Worker) error {
	host, port, err := net.SplitHostPort(os.Getenv(backendVariable))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	conn, err := backend.Open(c.Kernel(), backend.Config{Host: host, Port: n, PingTimeout: -1})
	if err != nil {
		return err
	}
	shop := &shop{worker: w, backend: conn}
	at, err := c.Spawn(session.New(session.On(GotConn, shop.conn)), kernel.Alias("shop"))
	if err != nil {
		return err
	}
	w.Serve(at, GotConn)
	return nil
}

// shop gives every client's connection a session of its own.
type shop struct {
	worker  *prefork.Worker
	backend *backend.Conn
}

func (s *shop) conn(c *kernel.Context, conn net.Conn) error {
	v := &visitor{shop: s, conn: conn}
	_, err := c.Spawn(session.New(
		session.Handle("_start", v.start),
		session.On(GotLine, v.line),
		session.On(GotPrice, v.price),
		session.On(Trouble, v.trouble),
		session.On(Gone, func(*kernel.Context, error) error { return nil }), // nothing holds the session now
	))
	return err
}

// visitor answers one client: "price 7" with "7 50 4711", the item, its price
// and the worker's process ID.
type visitor struct {
	shop  *shop
	conn  net.Conn
	rw    *wheel.ReadWrite[string, string]
	item  int64
	tries int
}

func (v *visitor) start(c *kernel.Context) (err error) {
	v.rw, err = wheel.NewReadWrite(c, v.conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: GotLine, ErrorEvent: Trouble, CloseEvent: Gone,
	})
	return err
}

// trouble: a client that sends what is no line costs its connection, and a word
// in the log.
func (v *visitor) trouble(c *kernel.Context, e *wheel.Error) error {
	if e.Op == "filter" {
		c.Kernel().Report("tour", "client sent what is no line", fmt.Errorf("%v: %w", v.conn.RemoteAddr(), e))
	}
	return nil
}

func (v *visitor) line(c *kernel.Context, line string) error {
	text, ok := strings.CutPrefix(line, "price ")
	item, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return v.rw.Put("error: want: price NUMBER")
	}
	v.item, v.tries = item, 0
	v.rw.PauseInput() // one at a time, in order
	return v.ask(c)
}

func (v *visitor) ask(c *kernel.Context) error {
	return v.shop.backend.Ask(c, backend.Message{Name: Price.Name(), Args: []any{v.item}}, GotPrice)
}

func (v *visitor) price(c *kernel.Context, r backend.Reply) error {
	v.tries++
	if errors.Is(r.Err, backend.ErrLost) && v.tries < 5 {
		return v.ask(c) // asking for a price twice does no harm
	}
	answer := fmt.Sprintf("error: %v", r.Err)
	if r.Err == nil && len(r.Args) == 1 {
		answer = fmt.Sprintf("%d %v %d", v.item, r.Args[0], os.Getpid())
	}
	v.shop.worker.Requested()
	v.rw.ResumeInput()
	if err := v.rw.Put(answer); err != nil && !errors.Is(err, wheel.ErrClosed) {
		return err
	}
	return nil
}
