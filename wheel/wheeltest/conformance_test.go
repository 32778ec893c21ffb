package wheeltest_test

import (
	"net"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

func TestReadWriteConforms(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			rw, err := wheel.NewReadWrite(c, w.Conn("one\ntwo\nth", "ree\n", "four\n"), wheel.ReadWriteConfig[string, string]{
				Filter: filter.Line(), InputEvent: "line", FlushedEvent: "flushed", ErrorEvent: "failed", CloseEvent: wheeltest.Closed,
				HighMark: 10, LowMark: 5, HighEvent: "high", LowEvent: "low",
			})
			if err == nil {
				err = rw.Put("hello", "world")
			}
			return rw, err
		},
	})
}

func TestSocketFactoryConforms_Client(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			return wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				RemoteAddress: w.Serve("hello").String(),
				SuccessEvent:  "connected", FailureEvent: "failed", CloseEvent: wheeltest.Closed,
			})
		},
	})
}

func TestSocketFactoryConforms_RefusedClient(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			return wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				RemoteAddress: "127.0.0.1:1",
				SuccessEvent:  "connected", FailureEvent: "failed", CloseEvent: wheeltest.Closed,
			})
		},
	})
}

func TestSocketFactoryConforms_Server(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				BindAddress: "127.0.0.1:0", SuccessEvent: "accepted", FailureEvent: "failed", CloseEvent: wheeltest.Closed,
			})
			if err == nil {
				for range 3 {
					w.Dial(f.Addr(), "hello")
				}
			}
			return f, err
		},
		End: func(w wheeltest.Wheel) { w.(*wheel.SocketFactory).Drain() },
	})
}

// The same, for a wheel of which nobody asks to end.
func TestSocketFactoryConforms_Endless(t *testing.T) {
	const clients = 3
	wheeltest.Run(t, wheeltest.Case{Endless: clients,
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				BindAddress: "[::1]:0", SuccessEvent: "accepted", CloseEvent: wheeltest.Closed,
			})
			for range clients {
				w.Dial(f.Addr(), "hello")
			}
			return f, err
		},
	})
}

// A wheel on the system's own sockets, which no simulated kernel can have.
func TestReadWriteConforms_Real(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{Real: true,
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			defer l.Close()
			near, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				return nil, err
			}
			far, err := l.Accept()
			if err != nil {
				return nil, err
			}
			_, _ = far.Write([]byte("one\ntwo\n"))
			_ = far.Close()
			return wheel.NewReadWrite(c, near, wheel.ReadWriteConfig[string, string]{
				Filter: filter.Line(), InputEvent: "line", CloseEvent: wheeltest.Closed,
			})
		},
	})
}
