package wheel

import (
	"context"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
)

// SocketFactoryConfig configures a SocketFactory. SuccessEvent is required, and
// one of RemoteAddress (a client), BindAddress and Listener (a server).
type SocketFactoryConfig struct {
	// Network is tcp, tcp4, tcp6 or unix. Default tcp.
	Network string

	// BindAddress is where a server listens: "host:port", with port 0 for one
	// that the system chooses, or a path. An empty host is the loopback address,
	// not every interface; "0.0.0.0:8080" or "[::]:8080" says that. With
	// RemoteAddress it is the local address to connect from.
	BindAddress string

	// RemoteAddress is where a client connects to: "host:port" or a path. All
	// addresses of a name are tried (unlike W40).
	RemoteAddress string

	// Listener is accepted from instead of BindAddress, and belongs to the wheel.
	Listener net.Listener

	// Ahead is how many connections a server accepts before their events are
	// handled. NoneAhead accepts the next when the last one's handler has
	// returned, and so leaves it to other processes that share the listener
	// when that handler paused. Default 64.
	Ahead int

	// SuccessEvent carries one connection, which belongs to the handler (W43, W47).
	SuccessEvent kernel.Event[net.Conn]

	// FailureEvent carries the error of a connect or an accept. Without it, one
	// of accept goes to kernel.Kernel.Report.
	FailureEvent kernel.Event[*Error]

	// CloseEvent is the wheel's last event: after a client's success and after
	// Drain with nil, after any failure that ends the wheel with the *Error. It
	// does not follow the owner's Close.
	CloseEvent kernel.Event[error]

	// ConnectTimeout limits a client's attempt, name lookup included. Default 0:
	// the operating system's (W45).
	ConnectTimeout time.Duration
}

// NoneAhead is for SocketFactoryConfig.Ahead.
const NoneAhead = -1

func (cfg *SocketFactoryConfig) fill() error {
	switch {
	case cfg.Ahead == 0:
		cfg.Ahead = defaultAhead
	case cfg.Ahead == NoneAhead:
		cfg.Ahead = 0
	case cfg.Ahead < 0:
		return misconfigured("SocketFactoryConfig.Ahead", "is %d; want NoneAhead, 0 for %d, or more", cfg.Ahead, defaultAhead)
	}
	if cfg.SuccessEvent == "" {
		return misconfigured("SocketFactoryConfig.SuccessEvent", "is empty; set it, because it brings the connections")
	}
	if err := checkNetwork("SocketFactoryConfig.Network", &cfg.Network); err != nil {
		return err
	}
	if cfg.ConnectTimeout < 0 {
		return misconfigured("SocketFactoryConfig.ConnectTimeout", "is %v; want 0 for none, or more", cfg.ConnectTimeout)
	}
	switch {
	case cfg.RemoteAddress != "" && cfg.Listener != nil:
		return misconfigured("SocketFactoryConfig.Listener", "is set beside RemoteAddress; a wheel is a server or a client")
	case cfg.RemoteAddress != "":
		return nil
	case cfg.Listener != nil && cfg.BindAddress != "":
		return misconfigured("SocketFactoryConfig.Listener", "is set beside BindAddress %q; set one of them", cfg.BindAddress)
	case cfg.Listener != nil:
		return nil
	case cfg.BindAddress == "":
		return misconfigured("SocketFactoryConfig.BindAddress", "is empty; set it to listen, or RemoteAddress to connect")
	}
	var err error
	cfg.BindAddress, err = listenAddress("SocketFactoryConfig.BindAddress", cfg.Network, cfg.BindAddress)
	return err
}

// SocketFactory makes connections: a server accepts them until it is closed, a
// client makes one. Its methods are for the handlers of the session that made it;
// none of them blocks.
type SocketFactory struct {
	cfg  SocketFactoryConfig
	src  *kernel.Source
	pid  *actor.PID
	acc  *acceptor // a server …
	dial *dialer   // … or a client

	draining bool
}

// NewSocketFactory makes a wheel that listens when it returns, or that begins to
// connect. An error matches ErrConfig, or is an *Error with Op "listen": what can
// be said at once comes from the constructor and not as an event (unlike W38).
// A host name in BindAddress is looked up here and blocks; an address does not.
func NewSocketFactory(c *kernel.Context, cfg SocketFactoryConfig) (*SocketFactory, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	f := &SocketFactory{cfg: cfg}
	network := c.Kernel().Network()
	if cfg.RemoteAddress != "" {
		f.dial = newDialer(network, &f.cfg)
		f.begin(c, f.tellDial, &keeper{f.dial.start, f.dial.stop})
		return f, nil
	}
	l := cfg.Listener
	if l == nil {
		var err error
		if l, err = network.Listen(context.Background(), cfg.Network, cfg.BindAddress); err != nil {
			return nil, &Error{Op: "listen", Err: err}
		}
	}
	f.acc = newAcceptor(l, f.cfg.Ahead)
	f.begin(c, f.tellAccept, &keeper{f.acc.start, f.acc.stop})
	return f, nil
}

// begin makes the source and the actor. The source's end closes the descriptor
// itself, because the actor's turn may be far away.
func (f *SocketFactory) begin(c *kernel.Context, turn func(*kernel.Context), k *keeper) {
	f.src = c.NewSource("SocketFactory", turn, func() {
		k.stop()
		f.src.StopActor(f.pid)
	})
	if f.acc != nil {
		f.acc.src = f.src
	} else {
		f.dial.src = f.src
	}
	f.src.Watch(true)
	f.pid = f.src.Actor(k.produce)
}

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (f *SocketFactory) ID() kernel.WheelID { return f.src.ID() }

// Addr returns where a server listens, with the port that was chosen (W46), and
// nil from a client.
func (f *SocketFactory) Addr() net.Addr {
	if f.acc == nil {
		return nil
	}
	return f.acc.listener.Addr()
}

// PauseAccept stops a server from accepting: clients wait in the system's backlog
// until ResumeAccept, and one that was accepted just before waits in the wheel
// (W50); with NoneAhead that one is delivered all the same, because it waits for
// this process alone. The wheel still holds its session. A client ignores it.
func (f *SocketFactory) PauseAccept() {
	if f.acc != nil && !f.draining {
		f.acc.pause(true)
	}
}

// ResumeAccept ends PauseAccept.
func (f *SocketFactory) ResumeAccept() {
	if f.acc != nil && !f.draining {
		f.acc.pause(false)
		f.src.Wake()
	}
}

// Drain ends a server without losing a connection: the listener is closed when it
// returns, what was accepted before is delivered, then CloseEvent comes with nil.
// It ends a pause. A client ignores it.
func (f *SocketFactory) Drain() {
	if f.acc != nil && !f.draining {
		f.draining = true
		f.acc.drain()
	}
}

// Close ends the wheel: the listener is closed when it returns, or the attempt to
// connect given up. Connections that no event has brought yet are closed, those
// that were are the owner's. No further event comes (W2).
func (f *SocketFactory) Close() { f.src.Close() }

// tellAccept is a server's turn. One event per connection (W47); its handler may
// pause or close.
func (f *SocketFactory) tellAccept(c *kernel.Context) {
	for range maxRecords {
		conn := f.acc.take()
		if conn == nil {
			f.tellTrouble(c)
			return
		}
		goOn := f.src.Deliver(c, string(f.cfg.SuccessEvent), conn)
		f.acc.handled()
		if !goOn {
			return
		}
	}
	f.src.Wake()
}

// tellTrouble follows the connections that came before it.
func (f *SocketFactory) tellTrouble(c *kernel.Context) {
	if err := f.acc.takeTrouble(); err != nil && !f.fail(c, "accept", err) {
		return
	}
	switch err := f.acc.ended(); {
	case err == nil:
	case f.draining:
		f.finish(c, nil)
	case acceptPolicy(err) == acceptClosed || f.fail(c, "accept", err):
		f.finish(c, &Error{Op: "accept", Err: err, Wheel: f.ID()})
	}
}

// tellDial is a client's turn (W43, W44).
func (f *SocketFactory) tellDial(c *kernel.Context) {
	conn, err := f.dial.take()
	switch {
	case conn != nil:
		if f.src.Deliver(c, string(f.cfg.SuccessEvent), conn) {
			f.finish(c, nil)
		}
	case err != nil:
		if f.fail(c, "connect", err) {
			f.finish(c, &Error{Op: "connect", Err: err, Wheel: f.ID()})
		}
	}
}

// fail reports a failure. False: the owner is to be told nothing more.
func (f *SocketFactory) fail(c *kernel.Context, op string, err error) bool {
	e := &Error{Op: op, Err: err, Wheel: f.ID()}
	if f.cfg.FailureEvent == "" && f.acc != nil {
		c.Kernel().Report("wheel.SocketFactory", op, e)
	}
	return f.src.Deliver(c, string(f.cfg.FailureEvent), e)
}

// finish is the wheel's end; reason is nil after a client's success.
func (f *SocketFactory) finish(c *kernel.Context, reason error) {
	f.src.Deliver(c, string(f.cfg.CloseEvent), reason)
	f.src.Close()
}
