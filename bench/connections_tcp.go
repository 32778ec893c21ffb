package main

import (
	"context"
	"fmt"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

func init() {
	s := Server{Serve: usherTCPEcho}
	connections.serve(usherTCP, map[string]Server{"echo-64": s, "echo-1000": s, "idle-connection": s})
}

// usherTCPEcho has the component make a session for each connection.
func usherTCPEcho(at func(fmt.Stringer)) error {
	k := kernel.New(kernel.Config{})
	s, err := tcp.NewServer(k, tcp.ServerConfig[string, string]{
		Filter: func() filter.Filter[string, string] {
			return must(filter.NewLine(filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n"}))
		},
		ClientInput: func(_ *kernel.Context, conn *tcp.Conn[string, string], line string) error { return conn.Put(line) },
	})
	if err != nil {
		return err
	}
	at(s.Addr())
	return k.Run(context.Background())
}
