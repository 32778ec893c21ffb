package wheel_test

import (
	"context"
	"net"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// listenCase drains a ListenAccept at its first connection of three.
func listenCase(ahead int, listen func() (net.Listener, error), dial func(*wheeltest.World, net.Addr) error) wheeltest.Case {
	return wheeltest.Case{Real: true,
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			l, err := listen()
			if err != nil {
				return nil, err
			}
			la, err := wheel.NewListenAccept(c, wheel.ListenAcceptConfig{
				Handle: l, AcceptEvent: gotConn, ErrorEvent: failed, CloseEvent: wheeltest.Closed, Ahead: ahead,
			})
			for range 3 {
				if err == nil {
					err = dial(w, la.Addr())
				}
			}
			return la, err
		},
		End: func(w wheeltest.Wheel) { w.(*wheel.ListenAccept).Drain() },
	}
}

// In memory, under simulated kernels, too.
func TestListenAcceptConforms(t *testing.T) {
	c := wheeltest.Case{
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			l, err := w.Network.Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			la, err := wheel.NewListenAccept(c, wheel.ListenAcceptConfig{
				Handle: l, AcceptEvent: gotConn, ErrorEvent: failed, CloseEvent: wheeltest.Closed,
			})
			for range 3 {
				w.Dial(l.Addr(), "hello")
			}
			return la, err
		},
		End: func(w wheeltest.Wheel) { w.(*wheel.ListenAccept).Drain() },
	}
	wheeltest.Run(t, c)
	t.Run("endless", func(t *testing.T) {
		c.End, c.Endless = nil, 3
		wheeltest.Run(t, c)
	})
}

// With the system's sockets, and with a listener that only knows how to wait.
func TestListenAcceptConforms_Real(t *testing.T) {
	system := func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
	dial := func(_ *wheeltest.World, to net.Addr) error {
		conn, err := net.Dial(to.Network(), to.String())
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	for name, listen := range map[string]func() (net.Listener, error){
		"system": system,
		"plain": func() (net.Listener, error) {
			l, err := system()
			return struct{ net.Listener }{l}, err
		},
	} {
		t.Run(name, func(t *testing.T) { wheeltest.Run(t, listenCase(0, listen, dial)) })
		t.Run(name+", none ahead", func(t *testing.T) { wheeltest.Run(t, listenCase(wheel.NoneAhead, listen, dial)) })
	}
}
