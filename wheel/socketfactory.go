package wheel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
)

// SocketFactoryConfig configures a SocketFactory. SuccessEvent is required, and
// one of RemoteAddress (a client), BindAddress and Listener (a server).
type SocketFactoryConfig struct {
	// Network is tcp, tcp4, tcp6, unix, or of datagrams: udp, udp4, udp6, unixgram.
	// Default tcp.
	Network string

	// BindAddress is where a server listens: "host:port", with port 0 for one
	// that the system chooses, or a path. An empty host is the loopback address,
	// not every interface; "0.0.0.0:8080" or "[::]:8080" says that. With
	// RemoteAddress it is the local address to connect from. A path must not
	// exist yet (W53).
	BindAddress string

	// RemoteAddress is where a client connects to: "host:port" or a path. All
	// addresses of a name are tried, and IPv6 and IPv4 raced (RFC 8305; unlike W40).
	// A silent address is given up for the next of its family when it has had its
	// share of ConnectTimeout, 2 s at least, or else the operating system's time.
	RemoteAddress string

	// ReusePort shares BindAddress with other sockets that ask for the same, of
	// this process and others (SO_REUSEPORT). An address that a server has just
	// left can always be listened on again (SO_REUSEADDR, W51).
	ReusePort bool

	// TLS makes every connection a *tls.Conn, whose handshake is over when its
	// event comes. A server needs a certificate in it; for a client ServerName
	// is by default the host of RemoteAddress. A handshake that fails is a
	// FailureEvent with Op "handshake"; a server goes on.
	TLS *tls.Config

	// HandshakeTimeout limits each handshake, in real time: its error matches
	// syscall.ETIMEDOUT. Default 10 s.
	HandshakeTimeout time.Duration

	// Listener is accepted from instead of BindAddress, and belongs to the wheel.
	Listener net.Listener

	// Lean makes a server's TCP connections lighter, on Linux, for those who give each
	// to a ReadWrite: the Go runtime does not watch them beside the wheel's poller,
	// which is 0.8 KB less for each, and some percent less work for each read
	// (package bench has figures). They are not of type *net.TCPConn then, but have
	// its Read, Write, ReadFrom, WriteTo, CloseRead, CloseWrite and SyscallConn, and
	// TCPConn returns one for everything else; it and what waits, such as Read, costs
	// what was saved. Their options are those of a net.ListenConfig's zero value, and
	// nothing is accepted ahead: clients wait in the system's backlog, of which Drain
	// takes what is there, 4096 at most. Without effect with Listener, with TLS, and
	// on other networks and systems.
	Lean bool

	// Ahead is how many connections a server accepts before their events, or those
	// of their failed handshakes, are handled. NoneAhead accepts the next when the
	// last one's handler has returned, and so leaves it to other processes that
	// share the listener when that handler paused. Default 64.
	Ahead int

	// SuccessEvent carries one connection, which belongs to the handler (W43,
	// W47). Of datagrams it is the socket, once, bound or connected, which is a
	// net.PacketConn, too (W52): NewDatagram does its input and output.
	SuccessEvent kernel.Event[net.Conn]

	// FailureEvent carries the error of a connect, an accept or a handshake.
	// Without it, a server's goes to kernel.Kernel.Report.
	FailureEvent kernel.Event[*Error]

	// CloseEvent is the wheel's last event: after a client's success and after
	// Drain with nil, after any failure that ends the wheel with the *Error. It
	// does not follow the owner's Close.
	CloseEvent kernel.Event[error]

	// ConnectTimeout limits a client's attempt, name lookup and handshake
	// included, by the kernel's clock: a FailureEvent that matches
	// syscall.ETIMEDOUT. Default 0: the operating system's (W45).
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
	if err := checkTLS(cfg); err != nil {
		return err
	}
	switch {
	case cfg.RemoteAddress != "" && cfg.Listener != nil:
		return misconfigured("SocketFactoryConfig.Listener", "is set beside RemoteAddress; a wheel is a server or a client")
	case cfg.RemoteAddress != "":
		return checkAddress("SocketFactoryConfig.RemoteAddress", cfg.Network, cfg.RemoteAddress)
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
	acc  accepts  // a server …
	dial *dialer  // … or a client …
	gram *oneConn // … or a socket for datagrams
	addr net.Addr

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
	var l net.Listener
	if cfg.RemoteAddress == "" {
		var err error
		if l, err = f.listen(network); err != nil {
			return nil, &Error{Op: "listen", Err: err}
		}
	}
	turn, k := f.tellDial, &keeper{}
	f.src = c.NewSource("SocketFactory", func(c *kernel.Context) { turn(c) }, func() {
		k.stop() // not the actor, whose turn may be far away
		f.src.StopActor(f.pid)
	})
	if cfg.Lean && cfg.TLS == nil && cfg.Listener == nil {
		l = leanListener(l)
	}
	switch pl, tries := l.(PollableListener); {
	case l == nil && f.gram == nil:
		f.dial = newDialer(network, f.src, &f.cfg)
		k.start, k.stop = f.dial.start, f.dial.stop
	case l == nil:
		turn, k.start, k.stop = f.tellDatagram, f.src.Wake, f.gram.close
	case tries:
		f.acc = newTryAcceptor(pl, f.src, &f.cfg)
	default:
		f.acc = newAcceptor(l, f.src, &f.cfg)
	}
	if f.acc != nil {
		f.addr = l.Addr()
		turn, k.start, k.stop = f.tellAccept, f.acc.start, f.acc.stop
	}
	f.src.Watch(true)
	f.pid = f.src.Actor(k.produce)
	return f, nil
}

// listen opens what a server has: a listener, or a socket for datagrams.
func (f *SocketFactory) listen(network kernel.Network) (net.Listener, error) {
	cfg := &f.cfg
	if cfg.Listener != nil {
		return cfg.Listener, nil
	}
	ctx := context.Background()
	if cfg.ReusePort {
		ctx = kernel.WithReusePort(ctx)
	}
	if !isDatagram(cfg.Network) {
		return network.Listen(ctx, cfg.Network, cfg.BindAddress)
	}
	socket, err := network.ListenPacket(ctx, cfg.Network, cfg.BindAddress)
	if err != nil {
		return nil, err
	}
	conn, ok := socket.(net.Conn)
	if !ok {
		_ = socket.Close()
		return nil, fmt.Errorf("the kernel's Network gave a %T, which is no net.Conn: %w", socket, errors.ErrUnsupported)
	}
	f.gram, f.addr = new(oneConn), socket.LocalAddr()
	f.gram.conn.Store(&conn)
	return nil, nil
}

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (f *SocketFactory) ID() kernel.WheelID { return f.src.ID() }

// Addr returns where a server listens, with the port that was chosen (W46), and
// nil from a client.
func (f *SocketFactory) Addr() net.Addr { return f.addr }

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
	for range maxRecords {
		e := f.acc.takeTrouble()
		if e == nil {
			f.tellEnd(c)
			return
		}
		if !f.fail(c, e) {
			return
		}
	}
	f.src.Wake()
}

func (f *SocketFactory) tellEnd(c *kernel.Context) {
	err := f.acc.ended()
	if err == nil {
		return
	}
	if f.draining {
		f.finish(c, nil)
		return
	}
	e := &Error{Op: "accept", Err: err, Wheel: f.ID()}
	if acceptPolicy(err) == acceptClosed || f.fail(c, e) {
		f.finish(c, e)
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
		if f.fail(c, err) {
			f.finish(c, err)
		}
	}
}

// tellDatagram is the turn of a socket that nobody has to connect (W52).
func (f *SocketFactory) tellDatagram(c *kernel.Context) {
	if conn := f.gram.take(); conn != nil && f.src.Deliver(c, string(f.cfg.SuccessEvent), conn) {
		f.finish(c, nil)
	}
}

// oneConn is handed on or closed, whichever comes first.
type oneConn struct{ conn atomic.Pointer[net.Conn] }

func (o *oneConn) take() net.Conn {
	if p := o.conn.Swap(nil); p != nil {
		return *p
	}
	return nil
}

func (o *oneConn) close() {
	if conn := o.take(); conn != nil {
		_ = conn.Close()
	}
}

// fail reports a failure. False: the owner is to be told nothing more.
func (f *SocketFactory) fail(c *kernel.Context, e *Error) bool {
	if f.cfg.FailureEvent == "" && f.acc != nil {
		c.Kernel().Report("wheel.SocketFactory", e.Op, e)
	}
	return f.src.Deliver(c, string(f.cfg.FailureEvent), e)
}

// finish is the wheel's end; reason is nil after a client's success.
func (f *SocketFactory) finish(c *kernel.Context, reason error) {
	defer f.src.Close()
	f.src.Deliver(c, string(f.cfg.CloseEvent), reason)
}
