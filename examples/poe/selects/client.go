package main

import (
	"bytes"
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
)

// client prints lines until it has seen enough.
type client struct {
	input []byte
	seen  int
}

func (cl *client) start(c *kernel.Context) error {
	fmt.Println("client: starts")
	conn, err := net.Dial("tcp", c.Arg(0).(string)) // blocks; it has to, without a wheel
	if err != nil {
		return err
	}
	return c.SelectRead(conn.(*net.TCPConn), "read", "the server")
}

func (cl *client) read(c *kernel.Context) error {
	conn, mode, from := c.Arg(0).(*net.TCPConn), c.Arg(1), c.Arg(2)
	buffer := make([]byte, 512)
	n, err := conn.Read(buffer)
	cl.input = append(cl.input, buffer[:n]...)
	for cl.seen < *lines {
		line, rest, found := bytes.Cut(cl.input, []byte("\r\n"))
		if !found {
			break
		}
		cl.input = rest
		cl.seen++
		fmt.Printf("client: mode %d, %s: %s\n", mode, from, line)
	}
	if err == nil && cl.seen < *lines {
		return nil
	}
	if err := c.SelectRead(conn, ""); err != nil {
		return err
	}
	return conn.Close()
}

func (cl *client) stop(*kernel.Context) error {
	fmt.Println("client: stops")
	return nil
}
