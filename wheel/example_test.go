package wheel_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	Connected kernel.Event[net.Conn] = "connected"
	Line      kernel.Event[string]   = "line"
)

// shout serves one client: it answers every line in capitals.
type shout struct {
	listener *wheel.SocketFactory
	client   *wheel.ReadWrite[string, string]
}

func (s *shout) start(c *kernel.Context) (err error) {
	s.listener, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		BindAddress: "127.0.0.1:0", SuccessEvent: Connected,
	})
	return err
}

func (s *shout) connected(c *kernel.Context, conn net.Conn) (err error) {
	s.listener.Close() // one client will do; the session lives on for its wheel
	s.client, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: Line,
	})
	return err
}

func (s *shout) line(_ *kernel.Context, line string) error {
	return s.client.Put(strings.ToUpper(line))
}

func Example() {
	k := kernel.New(kernel.Config{})
	s := &shout{}
	_, err := k.Spawn(session.New(
		session.Handle("_start", s.start),
		session.On(Connected, s.connected),
		session.On(Line, s.line),
	))
	if err != nil {
		log.Fatal(err)
	}
	go talk(s.listener.Addr())
	if err := k.Run(context.Background()); err != nil { // until the client hangs up
		log.Fatal(err)
	}
	// Output: HELLO
}

func talk(to net.Addr) {
	conn, err := net.Dial(to.Network(), to.String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(conn, "hello")
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.TrimSpace(answer))
	_ = conn.Close()
}
