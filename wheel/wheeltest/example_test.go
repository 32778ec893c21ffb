package wheeltest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

const (
	Connected kernel.Event[net.Conn] = "connected"
	Line      kernel.Event[string]   = "line"
	Gone      kernel.Event[error]    = "gone"
)

type lines = wheel.ReadWrite[string, string]

func newLines(c *kernel.Context, conn net.Conn) (*lines, error) {
	return wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: Line, CloseEvent: Gone,
	})
}

// shouter serves one client: it answers every line in capitals.
func shouter() *session.Session {
	var listener *wheel.SocketFactory
	var client *lines
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			listener, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				BindAddress: "shouter.example:7", SuccessEvent: Connected,
			})
			return err
		}),
		session.On(Connected, func(c *kernel.Context, conn net.Conn) (err error) {
			listener.Close()
			client, err = newLines(c, conn)
			return err
		}),
		session.On(Line, func(_ *kernel.Context, s string) error { return client.Put(strings.ToUpper(s)) }),
		session.On(Gone, func(c *kernel.Context, err error) error { return say(c, "the server", err) }),
	)
}

// visitor says hello; half a second after the answer, its connection breaks.
func visitor(n *wheeltest.Network) *session.Session {
	var near net.Conn
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				RemoteAddress: "shouter.example:7", SuccessEvent: Connected,
			})
			return err
		}),
		session.On(Connected, func(c *kernel.Context, conn net.Conn) error {
			near = conn
			rw, err := newLines(c, conn)
			if err != nil {
				return err
			}
			return rw.Put("hello")
		}),
		session.On(Line, func(c *kernel.Context, s string) error {
			n.After(500*time.Millisecond, near.(*wheeltest.Conn).Reset)
			return say(c, "the visitor got "+s, nil)
		}),
		session.On(Gone, func(c *kernel.Context, err error) error { return say(c, "the visitor", err) }),
	)
}

var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func say(c *kernel.Context, what string, err error) error {
	if errors.Is(err, syscall.ECONNRESET) {
		what += " was reset"
	}
	fmt.Printf("%v: %s\n", c.Now().Sub(epoch), what)
	return nil
}

// A server and a client, a network between them that takes 20 ms, and a fault: no
// socket, no goroutine, and no time passes.
func Example() {
	n := wheeltest.New(wheeltest.Config{Link: wheeltest.Link{Delay: 20 * time.Millisecond}})
	n.SetHost("shouter.example", "10.0.0.7")

	k := kernel.New(kernel.Config{Mode: kernel.Simulated, Network: n})
	for _, s := range []*session.Session{shouter(), visitor(n)} {
		if _, err := k.Spawn(s); err != nil {
			log.Fatal(err)
		}
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("open:", n.Open())
	// Output:
	// 80ms: the visitor got HELLO
	// 580ms: the server was reset
	// 580ms: the visitor was reset
	// open: []
}
