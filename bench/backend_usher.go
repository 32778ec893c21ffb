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
)

func init() {
	server := Server{Serve: serveBackend}
	for row := range backendSize {
		backends.pair(usher, map[string]Ends{row: {server, usherAskers(row, -1)}})
		backends.pair(usherPing, map[string]Ends{row: {server, usherAskers(row, 0)}})
		backends.pair(usherEvents, map[string]Ends{row: {server, usherEventAskers(row)}})
	}
}

// serveBackend has one session answer all connections.
func serveBackend(at func(fmt.Stringer)) error {
	k := kernel.New(kernel.Config{})
	_, err := k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			s, err := backend.NewServer(k, backend.ServerConfig{
				Listen: "127.0.0.1:0", Commands: map[string]kernel.Address{"echo": c.Self()},
			})
			if err == nil {
				at(s.Addr())
			}
			return err
		}),
		session.Handle("echo", func(c *kernel.Context) error {
			r := c.Arg(0).(*backend.Request)
			return r.Reply(r.Args...)
		}),
	), kernel.Alias("echo"))
	if err != nil {
		return err
	}
	return k.Run(context.Background())
}

// usherConns opens a row's connections in a running kernel. ping is their policy.
func usherConns(s *server, n int, ping time.Duration) (u *usherKernel, conns []*backend.Conn, stop func(), err error) {
	u = runKernel(kernel.Config{})
	stop = func() {
		for _, c := range conns {
			c.Close()
		}
		_ = u.stop()
	}
	_, text, _ := net.SplitHostPort(s.addr)
	port, _ := strconv.Atoi(text)
	for i := range n {
		c, err := backend.Connect(context.Background(), u.Kernel, backend.Config{
			Port: port, Alias: "backend" + strconv.Itoa(i), PingTimeout: ping,
		})
		if err != nil {
			stop()
			return nil, nil, nil, err
		}
		conns = append(conns, c)
	}
	return u, conns, stop, nil
}

var usherQuestion = backend.Message{Name: "echo", Args: []any{backendPayload}}

// usherAskers has goroutines ask.
func usherAskers(row string, ping time.Duration) Load {
	size := backendSize[row]
	return func(s *server) (Runner, func(), error) {
		_, conns, stop, err := usherConns(s, size.conns, ping)
		if err != nil {
			return nil, nil, err
		}
		return askers(s, size.conns*size.each, func(i int) error {
			args, err := conns[i%size.conns].Request(context.Background(), usherQuestion)
			return checkUsherAnswer(backend.Reply{Args: args, Err: err})
		}), stop, nil
	}
}

func checkUsherAnswer(r backend.Reply) error {
	if r.Err != nil {
		return r.Err
	}
	if len(r.Args) != 1 {
		return fmt.Errorf("%w: the answer has %d arguments; want 1", errSample, len(r.Args))
	}
	got, _ := r.Args[0].([]byte)
	return checkPayload(got)
}

const usherReply kernel.Event[backend.Reply] = "reply"

// usherEventAskers has a session for each request that may be under way.
func usherEventAskers(row string) Load {
	size := backendSize[row]
	return func(s *server) (Runner, func(), error) {
		u, conns, stop, err := usherConns(s, size.conns, -1)
		if err != nil {
			return nil, nil, err
		}
		n := size.conns * size.each
		at := make([]kernel.Address, n)
		for i := range at {
			at[i] = u.spawn(usherEventAsker(conns[i%size.conns]))
		}
		return func(ops int) (Sample, error) {
			works := make([]*usherEventWork, n)
			sample, err := measureBoth(s, ops, func() error {
				for i := range works {
					works[i] = &usherEventWork{left: (ops + i) / n, done: make(chan error, 1)}
					if err := usherAsk.PostFrom(u.Kernel, at[i], works[i]); err != nil {
						return err
					}
				}
				return together(n, func(i int) error { return <-works[i].done })
			})
			for _, w := range works {
				if w != nil {
					sample.Waits = append(sample.Waits, w.waits...)
				}
			}
			return sample, err
		}, stop, nil
	}
}

// usherEventWork is one asker's part of a run.
type usherEventWork struct {
	left  int
	begun time.Time
	waits []time.Duration
	done  chan error
}

const usherAsk kernel.Event[*usherEventWork] = "ask"

func usherEventAsker(conn *backend.Conn) kernel.Receiver {
	var w *usherEventWork
	next := func(c *kernel.Context) {
		if w.left == 0 {
			w.done <- nil
			return
		}
		w.left--
		w.begun = time.Now()
		if err := conn.Ask(c, usherQuestion, usherReply); err != nil {
			w.done <- err
		}
	}
	return session.New(
		session.On(usherAsk, func(c *kernel.Context, work *usherEventWork) error {
			w = work
			next(c)
			return nil
		}),
		session.On(usherReply, func(c *kernel.Context, r backend.Reply) error {
			w.waits = append(w.waits, time.Since(w.begun))
			if err := checkUsherAnswer(r); err != nil {
				w.done <- err
				return nil
			}
			next(c)
			return nil
		}),
	)
}
