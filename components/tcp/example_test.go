package tcp_test

import (
	"context"
	"fmt"
	"log"
	"strings"

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
