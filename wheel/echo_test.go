package wheel_test

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// echo is a server session: one SocketFactory, one ReadWrite per connection. It
// serves a number of connections and then closes its listener.
type echo struct {
	cfg     wheel.SocketFactoryConfig
	filter  func() filter.Filter[string, string]
	left    int // connections to come
	open    map[kernel.WheelID]*lineWheel
	factory *wheel.SocketFactory
	errors  []string
	ready   func(c *kernel.Context, at net.Addr) error
}

func (e *echo) session() *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			e.open = make(map[kernel.WheelID]*lineWheel)
			e.cfg.SuccessEvent, e.cfg.FailureEvent = gotConn, failed
			if e.factory, err = wheel.NewSocketFactory(c, e.cfg); err != nil {
				return err
			}
			return e.ready(c, e.factory.Addr())
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			f := filter.Line()
			if e.filter != nil {
				f = e.filter()
			}
			rw, err := wheel.NewReadWrite(c, conn, lineConfig{
				Filter: f, InputEvent: gotLine, ErrorEvent: failed, CloseEvent: closed,
			})
			if err != nil {
				return err
			}
			e.open[rw.ID()] = rw
			if e.left--; e.left == 0 {
				e.factory.Close()
			}
			return nil
		}),
		session.On(gotLine, func(c *kernel.Context, s string) error { return e.open[c.Wheel()].Put(s) }),
		session.On(failed, func(c *kernel.Context, err *wheel.Error) error {
			e.errors = append(e.errors, err.Op+" "+cause(err))
			return nil
		}),
		session.On(closed, func(c *kernel.Context, _ error) error {
			delete(e.open, c.Wheel())
			return nil
		}),
	)
}

// client is a session that connects, sends lines, and checks what comes back.
type client struct {
	cfg  wheel.SocketFactoryConfig
	send []string
	got  []string
	want int
	log  []string
	rw   *lineWheel
}

func (cl *client) session() *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			cl.cfg.SuccessEvent, cl.cfg.FailureEvent, cl.cfg.CloseEvent = gotConn, failed, "factory_closed"
			_, err := wheel.NewSocketFactory(c, cl.cfg)
			return err
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) (err error) {
			cl.rw, err = wheel.NewReadWrite(c, conn, lineConfig{
				Filter: filter.Line(), InputEvent: gotLine, ErrorEvent: failed, CloseEvent: closed,
			})
			if err != nil {
				return err
			}
			return cl.rw.Put(cl.send...)
		}),
		session.On(gotLine, func(_ *kernel.Context, s string) error {
			if cl.got = append(cl.got, s); len(cl.got) == cl.want {
				cl.rw.CloseFlushed()
			}
			return nil
		}),
		session.On(failed, func(_ *kernel.Context, e *wheel.Error) error {
			cl.log = append(cl.log, e.Op+" "+cause(e))
			return nil
		}),
		session.On("factory_closed", func(_ *kernel.Context, err error) error {
			cl.log = append(cl.log, "factory "+cause(err))
			return nil
		}),
		session.On(closed, func(_ *kernel.Context, err error) error {
			cl.log = append(cl.log, "closed "+cause(err))
			return nil
		}),
	)
}

// bindTo is where a server of these tests listens.
func bindTo(t *testing.T, network string) wheel.SocketFactoryConfig {
	if network == "unix" {
		return wheel.SocketFactoryConfig{Network: "unix", BindAddress: filepath.Join(t.TempDir(), "echo")}
	}
	return wheel.SocketFactoryConfig{BindAddress: ":0"}
}

func TestW43_W47_EchoSessionsOf100KB(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		var lines []string
		for i := range 2000 {
			lines = append(lines, fmt.Sprintf("%04d %s", i, strings.Repeat("x", 45)))
		}
		cl := &client{send: lines, want: len(lines)}
		srv := &echo{cfg: bindTo(t, network), left: 1}
		srv.ready = func(c *kernel.Context, at net.Addr) error {
			cl.cfg = wheel.SocketFactoryConfig{Network: at.Network(), RemoteAddress: at.String()}
			_, err := c.Spawn(cl.session())
			return err
		}
		run(t, k, srv.session())
		if got, want := strings.Join(cl.got, "\n"), strings.Join(lines, "\n"); got != want {
			t.Errorf("got %d lines back, %d bytes; want %d, %d", len(cl.got), len(got), len(lines), len(want))
		}
		if got := strings.Join(cl.log, "; "); got != "factory nil; closed nil" {
			t.Errorf("client's log: %s", got)
		}
		if got := strings.Join(srv.errors, "; "); got != "read EOF" {
			t.Errorf("server's errors: %s", got)
		}
	})
}

// A record may be longer than Credit: the filter's limits are what bounds it. One
// over those is refused, and the next one is fine.
func TestG12_F16_LineOfAMillionBytes(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		long := strings.Repeat("y", 1_000_000)
		cl := &client{send: []string{long, long + long, "short"}, want: 2}
		srv := &echo{cfg: bindTo(t, network), left: 1}
		srv.ready = func(c *kernel.Context, at net.Addr) error {
			cl.cfg = wheel.SocketFactoryConfig{Network: at.Network(), RemoteAddress: at.String()}
			_, err := c.Spawn(cl.session())
			return err
		}
		run(t, k, srv.session())
		if len(cl.got) != 2 || cl.got[0] != long || cl.got[1] != "short" {
			t.Errorf("got %d lines back; want the long one and the short one", len(cl.got))
		}
		if got := strings.Join(srv.errors, "; "); got != "filter too long; read EOF" {
			t.Errorf("server's errors: %s", got)
		}
	})
}

// Input that cannot be parsed any further ends the wheel; what was put is sent.
func TestW10_FilterThatCannotGoOn(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		var err error
		h.cfg.Filter, err = filter.NewLine(filter.LineConfig{MaxLength: 10, MaxBuffer: 12})
		h.must(err)
		h.onFail = func(*kernel.Context, *wheel.Error) { h.must(h.rw.Put("go away")) }
		beside(t, func() {
			far.send("fine\n" + strings.Repeat("z", 100))
			if got := far.rest(); !strings.HasSuffix(got, "go away\r\n") {
				t.Errorf("peer got %q", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("line fine", "filter unusable", "closed unusable")
	})
}
