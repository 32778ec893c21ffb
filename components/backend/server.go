package backend

import (
	"context"
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The server's session takes these.
const (
	evConn     kernel.Event[net.Conn]     = "connection"
	evTrouble  kernel.Event[*wheel.Error] = "trouble"
	evRegister kernel.Event[registration] = "register"
	evRoute    kernel.Event[filter.Frame] = "route"
	evState    kernel.Event[struct{}]     = "state" // called
	evDown     kernel.Event[struct{}]     = "shutdown"
)

// Server is a backend server: a session that listens, with a child session for
// each connection.
type Server struct {
	k    *kernel.Kernel
	cfg  ServerConfig
	self kernel.Address
	addr net.Addr
}

// ServerState is a glimpse of a server.
type ServerState struct {
	Connections int
	Refused     int
	Reconnects  int            // clients that came back after their connection broke
	Services    map[string]int // connections by service name
}

// NewServer starts a server. It listens when NewServer returns; a failure to
// listen, and a Config that cannot work, are errors.
func NewServer(k *kernel.Kernel, cfg ServerConfig) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{k: k, cfg: cfg}
	d := &desk{srv: s, reg: newRegistry()}
	s.self, err = k.Spawn(session.New(
		session.Handle("_start", d.start),
		session.Handle("_stop", func(*kernel.Context) error { k.Describe(cfg.Alias, nil); return nil }),
		session.Handle("_child", d.child),
		session.Handle("DIE", d.die),
		session.On(evConn, d.connection),
		session.On(evTrouble, d.trouble),
		session.On(evRegister, d.register),
		session.On(evRoute, d.route),
		session.On(evState, d.state),
		session.On(evDown, d.shutdown),
	), kernel.Alias(cfg.Alias))
	if err != nil {
		return nil, err
	}
	k.Describe(cfg.Alias, func() any { st, _ := s.State(); return st })
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Send passes a message on, from any goroutine: to the connections registered
// under m.To, or to all with Everyone. Nobody there is no error (B33).
func (s *Server) Send(m Message) error {
	if m.To == "" {
		return fmt.Errorf("%w: Message.To is empty; want a service name or Everyone", ErrArgument)
	}
	if err := checkArgs(m.Args); err != nil {
		return err
	}
	return ended(evRoute.PostFrom(s.k, s.self, filter.Frame{Name: m.Name, Args: m.Args, To: m.To, From: m.From}))
}

// State returns a glimpse of the server, ErrClosed when it has ended.
func (s *Server) State() (ServerState, error) {
	v, err := s.k.Call(context.Background(), s.self, evState.Name())
	if err != nil {
		return ServerState{}, ended(err)
	}
	return v.(ServerState), nil
}

// Shutdown closes the listener and every connection, what they have yet to send
// included in time. It does not wait.
func (s *Server) Shutdown() { _ = evDown.PostFrom(s.k, s.self, struct{}{}) }

// desk is the server's session: it accepts, and knows who is there.
type desk struct {
	srv     *Server
	reg     *registry
	listen  *wheel.SocketFactory
	refused int
	down    bool

	reconnects int
}

func (d *desk) start(c *kernel.Context) error {
	f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		Network: d.srv.cfg.Network, BindAddress: d.srv.cfg.Listen,
		SuccessEvent: evConn, FailureEvent: evTrouble,
	})
	if err != nil {
		return err
	}
	d.listen, d.srv.addr = f, f.Addr()
	c.Sig("DIE", "DIE")
	return nil
}

func (d *desk) connection(c *kernel.Context, conn net.Conn) error {
	if len(d.reg.names) >= d.srv.cfg.MaxConns {
		d.refused++
		c.Kernel().Report("backend", "connection refused: ServerConfig.MaxConns is reached", fmt.Errorf("%d connections", len(d.reg.names)))
		return conn.Close()
	}
	_, err := c.Spawn(newClient(d.srv, c.Self(), conn).session())
	if err != nil {
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

func (d *desk) route(c *kernel.Context, f filter.Frame) error {
	if from, ok := d.reg.names[c.Sender()]; ok {
		f.From = from
	}
	to := f.To
	f.To = ""
	for _, conn := range d.reg.route(to) {
		if conn != c.Sender() {
			_ = evOut.Post(c, conn, f) // it ends: nobody to send to
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
	for conn := range d.reg.names {
		_ = evBye.Post(c, conn, struct{}{})
	}
	return c.AliasRemove(d.srv.cfg.Alias)
}
