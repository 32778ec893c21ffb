// Echo is a server in one call: it sends every line back to whoever sent it. Each
// client has a session of its own; what one of them does wrong costs that one only.
//
//	go run ./examples/echo -addr 127.0.0.1:7777
//	nc 127.0.0.1 7777
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7777", "where to listen")
	flag.Parse()

	k := kernel.New(kernel.Config{})
	server, err := tcp.NewServer(k, tcp.ServerConfig[string, string]{
		Address: *addr,
		Filter:  filter.Line,
		ClientInput: func(_ *kernel.Context, client *tcp.Conn[string, string], line string) error {
			return client.Put(line)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", server.Addr())
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
