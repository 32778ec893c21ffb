package backend_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const (
	Double   kernel.Event[*backend.Request] = "double"
	GotReply kernel.Event[backend.Reply]    = "got_reply"
)

// double is the server's one command.
func double(_ *kernel.Context, r *backend.Request) error {
	if len(r.Args) == 1 {
		if n, ok := r.Args[0].(int); ok {
			return r.Reply(2 * n)
		}
	}
	return r.Fail("double wants a number")
}

// Example has server and client in one kernel; usually they are in two processes.
func Example() {
	k := kernel.New(kernel.Config{})

	doubler, err := k.Spawn(session.New(session.On(Double, double)), kernel.Alias("doubler"))
	if err != nil {
		log.Fatal(err)
	}
	server, err := backend.NewServer(k, backend.ServerConfig{
		Commands: map[string]kernel.Address{Double.Name(): doubler},
	})
	if err != nil {
		log.Fatal(err)
	}

	conn, err := backend.Open(k, backend.Config{Port: server.Addr().(*net.TCPAddr).Port})
	if err != nil {
		log.Fatal(err)
	}
	_, err = k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			return conn.Ask(c, backend.Message{Name: Double.Name(), Args: []any{21}}, GotReply)
		}),
		session.On(GotReply, func(_ *kernel.Context, r backend.Reply) error {
			fmt.Println(r.Args, r.Err)
			conn.Close()
			server.Shutdown()
			return nil
		}),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: [42] <nil>
}
