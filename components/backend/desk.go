package backend

import (
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// The server's session takes these.
const (
	evConn     kernel.Event[net.Conn]     = "connection"
	evTrouble  kernel.Event[*wheel.Error] = "trouble"
	evRegister kernel.Event[registration] = "register" // called
	evRoute    kernel.Event[parcel]       = "route"    // called by connections, posted by Send
	evState    kernel.Event[struct{}]     = "state"    // called
	evDown     kernel.Event[struct{}]     = "shutdown"
)

// desk is the server's session: it accepts, and knows who is there.
type desk struct {
	srv     *Server
	reg     *registry
	listen  *wheel.SocketFactory
	refused int
	down    bool

	reconnects int
}

// registration is what register_service brings: the service's name and, from our
// own clients, how often this connection was made anew.
type registration struct {
	name       string
	reconnects int
}

func registrationOf(args []any) (r registration, ok bool) {
	if len(args) > 0 {
		r.name, _ = args[0].(string)
	}
	if len(args) > 1 {
		r.reconnects, _ = args[1].(int)
	}
	r.name, ok = serviceName(r.name)
	return r, ok
}

// parcel is an encoded message for a service.
type parcel struct {
	to      string
	encoded []byte
}

func newDesk(s *Server) *desk { return &desk{srv: s, reg: newRegistry()} }

func (d *desk) session() *session.Session {
	return session.New(
		session.Handle("_start", d.start),
		session.Handle("_stop", d.stop),
		session.Handle("_child", d.child),
		session.Handle("DIE", d.die),
		session.On(evConn, d.connection),
		session.On(evTrouble, d.trouble),
		session.On(evRegister, d.register),
		session.On(evRoute, d.route),
		session.On(evState, d.state),
		session.On(evDown, d.shutdown),
	)
}

func (d *desk) start(c *kernel.Context) error {
	f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		Network: d.srv.cfg.Network, BindAddress: d.srv.cfg.Listen,
		SuccessEvent: evConn, FailureEvent: evTrouble,
	})
	if err != nil {
		return err
	}
	d.listen, d.srv.addr, d.srv.self = f, f.Addr(), c.Self()
	c.Sig("DIE", "DIE")
	c.Kernel().Describe(d.srv.cfg.Alias, func() any { s, _ := d.srv.State(); return s })
	return nil
}

func (d *desk) stop(c *kernel.Context) error {
	if !d.down {
		c.Kernel().Describe(d.srv.cfg.Alias, nil)
	}
	return nil
}

func (d *desk) connection(c *kernel.Context, conn net.Conn) error {
	if n := len(d.reg.names); n >= d.srv.cfg.MaxConns {
		d.refused++
		c.Kernel().Report("backend", "connection refused: ServerConfig.MaxConns is reached", fmt.Errorf("%d connections", n))
		_ = conn.Close()
		return nil
	}
	p := &client{srv: d.srv, desk: c.Self(), conn: conn}
	if _, err := c.Spawn(p.session()); err != nil {
		_ = conn.Close()
		c.Kernel().Report("backend", "connection dropped", err)
	}
	return nil
}

func (d *desk) trouble(c *kernel.Context, e *wheel.Error) error {
	c.Kernel().Report("backend", "accept failed", e)
	return nil
}

// child keeps the registry true to the connections' lives.
func (d *desk) child(c *kernel.Context) error {
	conn, _ := c.Arg(1).(kernel.Address)
	switch c.Arg(0) {
	case "create":
		d.reg.add(conn)
	case "lose":
		d.reg.remove(conn)
	}
	return nil
}

// die handles a connection's failure: it costs that connection only.
func (d *desk) die(c *kernel.Context) error {
	x, _ := c.Arg(1).(*kernel.Exception)
	if x != nil && x.Session != c.Self() {
		c.Kernel().Report("backend", "connection failed", x)
		c.SigHandled()
	}
	return nil
}

func (d *desk) register(c *kernel.Context, r registration) error {
	d.reg.register(c.Sender(), r.name)
	if r.reconnects > 0 {
		d.reconnects++
	}
	return nil
}

func (d *desk) route(c *kernel.Context, p parcel) error {
	for _, conn := range d.reg.route(p.to) {
		if conn != c.Sender() {
			_ = evOut.Post(c, conn, p.encoded) // it ends: nobody to send to
		}
	}
	return nil
}

func (d *desk) state(c *kernel.Context, _ struct{}) error {
	c.Return(ServerState{len(d.reg.names), d.refused, d.reconnects, d.reg.services()})
	return nil
}

func (d *desk) shutdown(c *kernel.Context, _ struct{}) error {
	if d.down {
		return nil
	}
	d.down = true
	d.listen.Close()
	for _, conn := range slices.Sorted(maps.Keys(d.reg.names)) {
		_ = evBye.Post(c, conn, struct{}{})
	}
	c.Kernel().Describe(d.srv.cfg.Alias, nil)
	return c.AliasRemove(d.srv.cfg.Alias)
}
