package keepalive_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	GotConn kernel.Event[keepalive.Response] = "got_conn"
	GotLine kernel.Event[string]             = "got_line"
	Gone    kernel.Event[error]              = "gone"
)

// asker sends one line after the other, each on a connection that it borrows.
type asker struct {
	pool  *keepalive.Pool
	addr  *net.TCPAddr
	conn  *keepalive.Conn
	lines []string
}

func (a *asker) ask(c *kernel.Context) error {
	if len(a.lines) == 0 {
		a.pool.Shutdown()
		return nil
	}
	_, err := a.pool.Allocate(c, keepalive.Request{
		Scheme: "echo", Addr: a.addr.IP.String(), Port: a.addr.Port, Event: GotConn,
	})
	return err
}

func (a *asker) connected(c *kernel.Context, r keepalive.Response) error {
	if r.Err != nil {
		return r.Err
	}
	fmt.Printf("connection from cache: %q\n", r.FromCache)
	a.conn = r.Conn
	rw, err := keepalive.Start(c, r.Conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: GotLine, CloseEvent: Gone,
	})
	if err != nil {
		return err
	}
	return rw.Put(a.lines[0])
}

func (a *asker) line(c *kernel.Context, line string) error {
	fmt.Println("answer:", line)
	a.lines = a.lines[1:]
	if err := a.conn.Release(); err != nil { // before it is asked for again
		return err
	}
	return a.ask(c)
}

// gone: the server hung up before it answered.
func (a *asker) gone(c *kernel.Context, reason error) error {
	fmt.Println("connection lost:", reason)
	return a.conn.Close()
}

func Example() {
	addr, stop := startEcho()
	defer stop()

	k := kernel.New(kernel.Config{})
	pool, err := keepalive.New(k, keepalive.Config{MaxPerHost: 2})
	if err != nil {
		log.Fatal(err)
	}
	a := &asker{pool: pool, addr: addr, lines: []string{"one", "two"}}
	_, err = k.Spawn(session.New(
		session.Handle("_start", a.ask),
		session.On(GotConn, a.connected),
		session.On(GotLine, a.line),
		session.On(Gone, a.gone),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// connection from cache: ""
	// answer: one
	// connection from cache: "immediate"
	// answer: two
}

// startEcho starts a server that sends lines back.
func startEcho() (addr *net.TCPAddr, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for s := bufio.NewScanner(conn); s.Scan(); {
					fmt.Fprintln(conn, s.Text())
				}
			}()
		}
	}()
	return ln.Addr().(*net.TCPAddr), func() { _ = ln.Close() }
}
