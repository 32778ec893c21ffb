package main

import (
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// server makes a session for every connection.
type server struct{ listener *net.TCPListener }

func (s *server) start(c *kernel.Context) (err error) {
	fmt.Println("server: starts")
	if s.listener, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		return err
	}
	return c.SelectRead(s.listener, "accept")
}

// accept does not wait: the listener is ready. Had the client gone again in the
// meantime, it would; that is one of the things a wheel is for.
func (s *server) accept(c *kernel.Context) error {
	conn, err := s.listener.AcceptTCP()
	if err != nil {
		return err
	}
	fmt.Println("server: accepts")
	g := &generator{}
	_, err = c.Spawn(session.New(
		session.Handle("_start", g.start),
		session.Handle("read", g.read),
		session.Handle("write", g.write),
		session.Handle("_stop", g.stop),
	), kernel.Args(conn))
	return err
}

func (s *server) child(c *kernel.Context) error {
	reason, value := c.Arg(0), c.Arg(2)
	fmt.Printf("server: %s, %s\n", reason, value)
	if reason != "lose" {
		return nil
	}
	if err := c.SelectRead(s.listener, ""); err != nil { // the last hold
		return err
	}
	return s.listener.Close()
}

func (s *server) stop(*kernel.Context) error {
	fmt.Println("server: stops")
	return nil
}

// generator sends lines of 72 characters, each beginning one character later,
// until the other side does not take them any more.
type generator struct{ sent int }

// The printable characters of ASCII.
const (
	firstChar = ' '
	chars     = '~' - ' ' + 1
	width     = 72
)

func (g *generator) start(c *kernel.Context) error {
	fmt.Println("generator: starts")
	conn := c.Arg(0).(*net.TCPConn)
	c.Return("a generator for " + conn.LocalAddr().Network())
	if err := c.SelectRead(conn, "read"); err != nil {
		return err
	}
	return c.SelectWrite(conn, "write")
}

// read looks for the end; what the client says does not matter.
func (g *generator) read(c *kernel.Context) error {
	conn := c.Arg(0).(*net.TCPConn)
	if _, err := conn.Read(make([]byte, 512)); err != nil {
		return g.end(c, conn)
	}
	return nil
}

func (g *generator) write(c *kernel.Context) error {
	conn := c.Arg(0).(*net.TCPConn)
	line := make([]byte, 0, width+2)
	for i := range width {
		line = append(line, byte(firstChar+(g.sent+i)%chars))
	}
	g.sent++
	if _, err := conn.Write(append(line, "\r\n"...)); err != nil {
		return g.end(c, conn)
	}
	return nil
}

// end leaves nothing that could wake the session.
func (g *generator) end(c *kernel.Context, conn *net.TCPConn) error {
	if err := c.SelectRead(conn, ""); err != nil {
		return err
	}
	if err := c.SelectWrite(conn, ""); err != nil {
		return err
	}
	return conn.Close()
}

func (g *generator) stop(c *kernel.Context) error {
	fmt.Println("generator: stops")
	c.Return("a generator that sent enough")
	return nil
}
