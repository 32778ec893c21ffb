package tcp_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Example has server and client in one kernel; usually they are in two processes.
func Example() {
	k := kernel.New(kernel.Config{})

	server, err := tcp.NewServer(k, tcp.ServerConfig[string, string]{
		Filter: filter.Line,
		ClientInput: func(_ *kernel.Context, client *tcp.Conn[string, string], line string) error {
			return client.Put(strings.ToUpper(line))
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	_, err = tcp.NewClient(k, tcp.ClientConfig[string, string]{
		RemoteAddress: server.Addr().String(),
		Filter:        filter.Line,
		Connected: func(_ *kernel.Context, conn *tcp.Conn[string, string]) error {
			return conn.Put("hello", "goodbye")
		},
		ServerInput: func(_ *kernel.Context, conn *tcp.Conn[string, string], line string) error {
			fmt.Println(line)
			if line == "GOODBYE" {
				conn.Shutdown()
			}
			return nil
		},
		Disconnected: func(*kernel.Context, *tcp.Conn[string, string]) error {
			server.Shutdown()
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// HELLO
	// GOODBYE
}

// On TERM the server takes no new clients, and has those it has told so; who is
// left after ten seconds is shut down. Run then returns.
func ExampleServer_Drain() {
	type conn = tcp.Conn[string, string]
	k := kernel.New(kernel.Config{})

	server, err := tcp.NewServer(k, tcp.ServerConfig[string, string]{
		Filter:      filter.Line,
		Concurrency: 100,
		Started: func(c *kernel.Context) error {
			c.State("terminated", func(c *kernel.Context) error {
				c.SigHandled() // or everything stops at once
				return tcp.Drain.Yield(c, 10*time.Second)
			})
			c.Sig("TERM", "terminated")
			return nil
		},
		ClientInput: func(_ *kernel.Context, client *conn, line string) error { return client.Put(line) },
		ClientDrain: func(_ *kernel.Context, client *conn) error {
			defer client.Shutdown()
			return client.Put("we are closing")
		},
		Stopped: func(*kernel.Context) error { fmt.Println("stopped"); return nil },
	})
	if err != nil {
		log.Fatal(err)
	}

	_, err = tcp.NewClient(k, tcp.ClientConfig[string, string]{
		RemoteAddress: server.Addr().String(),
		Filter:        filter.Line,
		Connected:     func(_ *kernel.Context, conn *conn) error { return conn.Put("hello") },
		ServerInput: func(c *kernel.Context, _ *conn, line string) error {
			fmt.Println(line)
			if line == "hello" {
				return c.Signal(server.Session(), "TERM") // as kill does
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello
	// we are closing
	// stopped
}
