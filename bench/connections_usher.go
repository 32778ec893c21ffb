package main

import (
	"context"
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func init() {
	for peer, mode := range usherModes {
		own := Server{Serve: usherServer(mode, usherEchoSession)}
		connections.serve(peer, map[string]Server{"echo-64": own, "echo-1000": own, "idle-connection": own})
	}
	shared := Server{Serve: usherShareEcho}
	connections.serve(usherShared, map[string]Server{"echo-64": shared, "echo-1000": shared, "idle-connection": shared})
}

// Events of servers.
const (
	usherGotConn kernel.Event[net.Conn] = "got_conn"
	usherGotLine kernel.Event[string]   = "got_line"
	usherGone    kernel.Event[error]    = "gone"
)

// usherServer has a session for each connection.
func usherServer(mode kernel.Mode, connected func(conn net.Conn) kernel.Receiver) func(at func(fmt.Stringer)) error {
	return func(at func(fmt.Stringer)) error {
		return usherListen(mode, "tcp", at, session.On(usherGotConn, func(c *kernel.Context, conn net.Conn) error {
			_, err := c.Spawn(connected(conn))
			return err
		}))
	}
}

// usherListen runs a kernel with a session that listens and has these handlers.
func usherListen(mode kernel.Mode, network string, at func(fmt.Stringer), handlers ...session.State) error {
	k := kernel.New(kernel.Config{Mode: mode})
	_, err := k.Spawn(session.New(append(handlers, session.Handle("_start", func(c *kernel.Context) error {
		f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
			Network: network, BindAddress: "127.0.0.1:0", Lean: true, SuccessEvent: usherGotConn,
		})
		if err != nil {
			return err
		}
		at(f.Addr())
		return nil
	}))...))
	if err != nil {
		return err
	}
	return k.Run(context.Background())
}

func usherEchoSession(conn net.Conn) kernel.Receiver {
	var rw *wheel.ReadWrite[string, string]
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			rw, err = usherLines(c, conn, "")
			return err
		}),
		session.On(usherGotLine, func(_ *kernel.Context, line string) error { return rw.Put(line) }),
	)
}

// usherLines ends lines as the other peers do.
func usherLines(c *kernel.Context, conn net.Conn, gone kernel.Event[error]) (*wheel.ReadWrite[string, string], error) {
	f, err := filter.NewLine(filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n"})
	if err != nil {
		return nil, err
	}
	return wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[string, string]{
		Filter: f, InputEvent: usherGotLine, CloseEvent: gone,
	})
}

// usherShareEcho has all connections in the session that listens.
func usherShareEcho(at func(fmt.Stringer)) error {
	conns := make(map[kernel.WheelID]*wheel.ReadWrite[string, string])
	return usherListen(kernel.Parallel, "tcp", at,
		session.On(usherGotConn, func(c *kernel.Context, conn net.Conn) error {
			rw, err := usherLines(c, conn, usherGone)
			if err != nil {
				return err
			}
			conns[rw.ID()] = rw
			return nil
		}),
		session.On(usherGotLine, func(c *kernel.Context, line string) error { return conns[c.Wheel()].Put(line) }),
		session.On(usherGone, func(c *kernel.Context, _ error) error {
			delete(conns, c.Wheel())
			return nil
		}),
	)
}
