package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// The services are programs of these names, and registered under them.
var (
	orders  = wheel.Program("orders", func(args []string) error { return serve(args, "orders", (&desk{}).states) })
	stock   = wheel.Program("stock", func(args []string) error { return serve(args, "stock", pass(Reserve, Bill, "billing")) })
	billing = wheel.Program("billing", func(args []string) error { return serve(args, "billing", pass(Bill, Paid, "orders")) })
)

// What they tell each other, what the town tells them, and what their connections do.
const (
	Reserve kernel.Event[backend.Message] = "reserve"
	Bill    kernel.Event[backend.Message] = "bill"
	Paid    kernel.Event[backend.Message] = "paid"
	Finish  kernel.Event[backend.Message] = "finish"
	Quit    kernel.Event[backend.Message] = "quit"
	Changed kernel.Event[backend.Change]  = "changed"
)

// service is what each of them has: a connection to the server, whose messages are
// events of its session.
type service struct {
	name, addr string
	conn       *backend.Conn
	begin      func(*kernel.Context) // nil for who only answers
}

// serve is a service's main.
func serve(args []string, name string, states func(*service) []session.State) error {
	s := &service{name: name, addr: args[0]}
	k := kernel.New(kernel.Config{})
	_, err := k.Spawn(session.New(append(states(s),
		session.Handle("_start", s.start),
		session.On(Changed, s.changed),
		session.On(Quit, func(*kernel.Context, backend.Message) error { s.conn.Close(); return nil }),
	)...), kernel.Alias(name))
	if err != nil {
		return err
	}
	return k.Run(context.Background())
}

func (s *service) start(c *kernel.Context) error {
	host, text, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	s.conn, err = backend.Open(c.Kernel(), backend.Config{
		Host: host, Port: port, Alias: "to the server", Name: s.name,
		PingTimeout: -1, IdlePing: time.Second,
		Deliver: c.Self(), Events: []kernel.Event[backend.Message]{Reserve, Bill, Paid, Finish, Quit},
	})
	if err != nil {
		return err
	}
	if s.begin != nil {
		s.begin(c)
	}
	return s.conn.Watch(c, Changed)
}

// changed: this server does not come back, and nobody is needed without it.
func (s *service) changed(c *kernel.Context, ch backend.Change) error {
	switch ch.To {
	case backend.Reconnecting:
		s.conn.Close()
	case backend.Closed:
		c.AlarmRemoveAll()
		return c.AliasRemove(s.name)
	}
	return nil
}

// pass is a service that does its part of an order, once, and tells the next one.
// An order that comes again was lost behind it, so that the next one is told again.
func pass(in, out kernel.Event[backend.Message], next string) func(*service) []session.State {
	done := map[int]bool{}
	return func(s *service) []session.State {
		return []session.State{session.On(in, func(_ *kernel.Context, m backend.Message) error {
			n, err := number(m)
			if err != nil {
				return err
			}
			if !done[n] {
				done[n] = true // here something would be written to a disk
			}
			return s.conn.Send(backend.Message{Name: out.Name(), To: next, Args: []any{n}})
		})}
	}
}

// number is that of the order which a message is about.
func number(m backend.Message) (int, error) {
	if len(m.Args) == 1 {
		if n, ok := m.Args[0].(int); ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%s from %s with %v; want one number", m.Name, m.From, m.Args)
}
