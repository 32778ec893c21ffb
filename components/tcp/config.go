package tcp

import (
	"crypto/tls"
	"net"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// ServerConfig says where a server listens and what it does with its clients. Of
// Acceptor and ClientInput (or Events.Input) exactly one is needed (C2), and with
// the latter Filter.
//
// Callbacks of names that begin with Client run in the session of the client's
// connection, the others in the server's own (C11, C41). What a failing callback
// costs, see the package's documentation.
type ServerConfig[In, Out any] struct {
	// Network is tcp, tcp4, tcp6 or unix. Default tcp.
	Network string

	// Address is "host:port", or a path. Port 0 is any free port (C3); an empty
	// host is the loopback address, every interface is "0.0.0.0:80". Default: a
	// free loopback port.
	Address string

	// Listener is accepted from instead of Address, and belongs to the server. When
	// NewServer fails it may be closed already or not: close it.
	Listener net.Listener

	// Alias of the server's session. Default none.
	Alias string

	// Concurrency is how many connections there may be at a time; more have to
	// wait until one ends (C16). 0 and NoLimit: any number (C17). For a server
	// that begins with none, see SetConcurrency.
	Concurrency int

	// TLS has connections encrypted. The handshake is done before
	// ClientPreConnect, one that fails goes to Error. Default nil: plain.
	TLS *tls.Config

	// HandshakeTimeout limits a TLS handshake. Default: the wheel's.
	HandshakeTimeout time.Duration

	// Filter makes one filter for each connection (C20); filter.Line is such a
	// function.
	Filter func() filter.Filter[In, Out]

	// Acceptor takes connections as they are, and makes of them what it likes. Each
	// counts until the server gets Disconnected (C19). An error closes the
	// connection, is reported, and is all there is of it.
	Acceptor func(c *kernel.Context, conn net.Conn) error

	// Started runs at the end of the server's _start; its error is NewServer's (C4).
	Started func(c *kernel.Context) error

	// Error is told of a failed accept or handshake; the server goes on, unless
	// accepting cannot (C5). Default: kernel.Kernel.Report.
	Error func(c *kernel.Context, e *wheel.Error) error

	// Stopped runs when the server no longer listens and its last connection has
	// ended (C15). It is the session's _stop: what it posts is lost.
	Stopped func(c *kernel.Context) error

	// ClientPreConnect sees a connection first. What it returns is used instead,
	// such as a wrapper; nil closes it, and no other callback runs (C9).
	ClientPreConnect func(c *kernel.Context, conn net.Conn) (net.Conn, error)

	// ClientConnected begins a connection, in the _start of its session (C8): it
	// has what kernel.Args in SessionOptions gave (C10).
	ClientConnected func(c *kernel.Context, conn *Conn[In, Out]) error

	// ClientInput takes one record. None comes after a shutdown was asked for
	// (C12).
	ClientInput func(c *kernel.Context, conn *Conn[In, Out], record In) error

	// ClientFlushed: the output has drained to empty.
	ClientFlushed func(c *kernel.Context, conn *Conn[In, Out]) error

	// ClientHigh: unsent output has reached Limits.HighMark; ClientLow: it has
	// since fallen to LowMark (C21).
	ClientHigh, ClientLow func(c *kernel.Context, conn *Conn[In, Out]) error

	// ClientError is told of each error, and of the peer's end of input as "read"
	// with io.EOF; then the connection ends by itself, unless ClientKeepOnError is
	// set (C13). What the callback puts is still sent after a "read" of io.EOF,
	// "filter" and "idle". Default: end of input and reset are ignored, the rest is
	// reported.
	ClientError func(c *kernel.Context, conn *Conn[In, Out], e *wheel.Error) error

	// ClientDisconnected ends what ClientConnected began: once, whatever the
	// reason, which is Conn.Err. The connection is closed already.
	ClientDisconnected func(c *kernel.Context, conn *Conn[In, Out]) error

	// ClientDrain: the server drains (see Drain); whoever has finished should call
	// Conn.Shutdown.
	ClientDrain func(c *kernel.Context, conn *Conn[In, Out]) error

	// ClientKeepOnError is POE's ClientShutdownOnError turned off: the output stays
	// open after the peer's end of input, a record that the filter refuses is
	// skipped, input goes on after a failed write. Such a connection needs its
	// Shutdown or Close.
	ClientKeepOnError bool

	// ClientStates are more events for the sessions of connections (C22).
	ClientStates []State[In, Out]

	// SessionOptions are for the sessions of connections: kernel.Args,
	// kernel.QueueLimit (C23).
	SessionOptions []kernel.SpawnOption

	// Limits are those of each connection.
	Limits Limits

	// Events are sent where there is no callback.
	Events Events[In, Out]
}

var networks = []string{"", "tcp", "tcp4", "tcp6", "unix"}

// fill checks the configuration before there is any session (C1).
func (cfg *ServerConfig[In, Out]) fill() (*terms[In, Out], error) {
	ch := choices{owner: cfg.Events.Owner}
	ev := &cfg.Events
	t := &terms[In, Out]{
		filter: cfg.Filter, keepOnError: cfg.ClientKeepOnError,
		connected:    choose(&ch, "Connected", cfg.ClientConnected, ev.Connected),
		input:        chooseOf(&ch, "Input", cfg.ClientInput, ev.Input),
		flushed:      choose(&ch, "Flushed", cfg.ClientFlushed, ev.Flushed),
		high:         choose(&ch, "High", cfg.ClientHigh, ev.High),
		low:          choose(&ch, "Low", cfg.ClientLow, ev.Low),
		failed:       chooseOf(&ch, "Error", cfg.ClientError, ev.Error),
		disconnected: choose(&ch, "Disconnected", cfg.ClientDisconnected, ev.Disconnected),
		drain:        choose(&ch, "Drain", cfg.ClientDrain, ev.Drain),
	}
	switch {
	case ch.err != nil:
		return nil, ch.err
	case !slices.Contains(networks, cfg.Network):
		return nil, misconfigured("ServerConfig.Network", "is %q; want tcp, tcp4, tcp6 or unix", cfg.Network)
	case ev.ConnectError != "":
		return nil, misconfigured("Events.ConnectError", "is %q; it is for clients", ev.ConnectError)
	case cfg.Listener != nil && cfg.Address != "":
		return nil, misconfigured("ServerConfig.Address", "is %q beside Listener; set one of them", cfg.Address)
	case cfg.Concurrency < NoLimit:
		return nil, misconfigured("ServerConfig.Concurrency", "is %d; want 0 or NoLimit for any number, or more", cfg.Concurrency)
	case cfg.HandshakeTimeout < 0:
		return nil, misconfigured("ServerConfig.HandshakeTimeout", "is %v; want 0 for the default, or more", cfg.HandshakeTimeout)
	}
	if cfg.Concurrency == 0 {
		cfg.Concurrency = NoLimit
	}
	if cfg.Address == "" && cfg.Listener == nil {
		if cfg.Network == "unix" {
			return nil, misconfigured("ServerConfig.Address", "is empty; a unix socket needs a path")
		}
		cfg.Address = ":0"
	}
	if cfg.Acceptor != nil {
		return t, cfg.checkRaw(t)
	}
	if t.input == nil {
		return nil, misconfigured("ServerConfig.ClientInput", "is nil; set it, Events.Input, or Acceptor")
	}
	if err := t.fill("ServerConfig", &cfg.Limits); err != nil {
		return nil, err
	}
	return t, checkStates("ServerConfig.ClientStates", cfg.ClientStates)
}

// checkRaw: with an Acceptor nothing of a client is ours (C2).
func (cfg *ServerConfig[In, Out]) checkRaw(t *terms[In, Out]) error {
	for name, set := range map[string]bool{
		"ClientInput": t.input != nil, "ClientPreConnect": cfg.ClientPreConnect != nil, "ClientConnected": t.connected != nil,
		"ClientFlushed": t.flushed != nil, "ClientHigh": t.high != nil, "ClientLow": t.low != nil, "ClientError": t.failed != nil,
		"ClientDisconnected": t.disconnected != nil, "ClientDrain": t.drain != nil,
		"ClientStates": cfg.ClientStates != nil, "SessionOptions": cfg.SessionOptions != nil, "Filter": cfg.Filter != nil,
	} {
		if set {
			return misconfigured("ServerConfig.Acceptor", "is set beside %s or its event; an Acceptor has the connections to itself", name)
		}
	}
	return nil
}

// fill is what both configurations have in common.
func (t *terms[In, Out]) fill(config string, l *Limits) error {
	if t.filter == nil {
		return misconfigured(config+".Filter", "is nil; set a function that makes one, such as filter.Line")
	}
	if err := l.fill(); err != nil {
		return err
	}
	t.limits = *l
	if (t.high != nil || t.low != nil) && l.HighMark == 0 {
		return misconfigured("Limits.HighMark", "is 0, but there is a callback or event for High or Low; set it, too")
	}
	return nil
}
