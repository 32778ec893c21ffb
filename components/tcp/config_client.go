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

// ClientConfig says where a client connects to and what it does there.
// RemoteAddress, Filter and ServerInput (or Events.Input) are needed (C24). All
// callbacks run in the client's session (C41).
type ClientConfig[In, Out any] struct {
	// Network is tcp, tcp4, tcp6 or unix. Default tcp.
	Network string

	// RemoteAddress is "host:port", or a path. All addresses of a name are tried.
	RemoteAddress string

	// BindAddress is the local address to connect from (C39): "host:port", port 0
	// for any. Default: the system chooses.
	BindAddress string

	// Alias of the session while it is not shut down (C36). Default none.
	Alias string

	// TLS has the connection encrypted, before PreConnect. Its ServerName is by
	// default the host of RemoteAddress. Default nil: plain.
	TLS *tls.Config

	// ConnectTimeout limits an attempt, name lookup and TLS handshake included
	// (C29), by the kernel's clock. ConnectError gets ETIMEDOUT. Default 0: the
	// system's, and for the handshake the wheel's.
	ConnectTimeout time.Duration

	// Reconnect is when to connect again by itself. Default: never.
	Reconnect ReconnectPolicy

	// Filter makes one filter for each connection (C37).
	Filter func() filter.Filter[In, Out]

	// Started runs in _start, before the first attempt; its error is NewClient's
	// (C25).
	Started func(c *kernel.Context, conn *Conn[In, Out]) error

	// PreConnect sees a new connection first. What it returns is used instead; nil
	// drops it, and no other callback runs (C26).
	PreConnect func(c *kernel.Context, conn net.Conn) (net.Conn, error)

	// Connected begins a connection (C27).
	Connected func(c *kernel.Context, conn *Conn[In, Out]) error

	// ConnectError is told of each attempt that failed. It may ask for another by
	// the event Reconnect, also by Context.Call (C28). Client.State says waiting if
	// there will be one anyway, and resting if not. Default: kernel.Kernel.Report.
	ConnectError func(c *kernel.Context, conn *Conn[In, Out], e *wheel.Error) error

	// ServerInput takes one record. None comes after a shutdown was asked for
	// (C30).
	ServerInput func(c *kernel.Context, conn *Conn[In, Out], record In) error

	// ServerFlushed: the output has drained to empty.
	ServerFlushed func(c *kernel.Context, conn *Conn[In, Out]) error

	// ServerHigh: unsent output has reached Limits.HighMark; ServerLow: it has
	// since fallen to LowMark (C37).
	ServerHigh, ServerLow func(c *kernel.Context, conn *Conn[In, Out]) error

	// ServerError is told of each error, and of the server's end of input as
	// "read" with io.EOF; then the connection ends by itself, unless
	// ServerKeepOnError is set (C31). Default: end of input and reset are ignored,
	// the rest is reported.
	ServerError func(c *kernel.Context, conn *Conn[In, Out], e *wheel.Error) error

	// Disconnected ends what Connected began: once, whatever the reason, which is
	// Conn.Err. It may ask for another connection by the event Reconnect.
	Disconnected func(c *kernel.Context, conn *Conn[In, Out]) error

	// ServerKeepOnError is as ServerConfig.ClientKeepOnError (C39, C40).
	ServerKeepOnError bool

	// States are more events for the client's session (C37).
	States []State[In, Out]

	// SessionOptions are for the client's session.
	SessionOptions []kernel.SpawnOption

	// Limits are those of each connection.
	Limits Limits

	// Events are sent where there is no callback.
	Events Events[In, Out]
}

// fill checks the configuration before there is any session.
func (cfg *ClientConfig[In, Out]) fill() (*terms[In, Out], error) {
	ch := choices{owner: cfg.Events.Owner}
	ev := &cfg.Events
	t := &terms[In, Out]{
		filter: cfg.Filter, keepOnError: cfg.ServerKeepOnError,
		connected:    choose(&ch, "Connected", cfg.Connected, ev.Connected),
		connectError: chooseOf(&ch, "ConnectError", cfg.ConnectError, ev.ConnectError),
		input:        chooseOf(&ch, "Input", cfg.ServerInput, ev.Input),
		flushed:      choose(&ch, "Flushed", cfg.ServerFlushed, ev.Flushed),
		high:         choose(&ch, "High", cfg.ServerHigh, ev.High),
		low:          choose(&ch, "Low", cfg.ServerLow, ev.Low),
		failed:       chooseOf(&ch, "Error", cfg.ServerError, ev.Error),
		disconnected: choose(&ch, "Disconnected", cfg.Disconnected, ev.Disconnected),
	}
	switch {
	case ch.err != nil:
		return nil, ch.err
	case !slices.Contains(networks, cfg.Network):
		return nil, misconfigured("ClientConfig.Network", "is %q; want tcp, tcp4, tcp6 or unix", cfg.Network)
	case ev.Drain != "":
		return nil, misconfigured("Events.Drain", "is %q; it is for servers", ev.Drain)
	case cfg.RemoteAddress == "":
		return nil, misconfigured("ClientConfig.RemoteAddress", "is empty; want host:port, or a path")
	case t.input == nil:
		return nil, misconfigured("ClientConfig.ServerInput", "is nil; set it, or Events.Input")
	case cfg.ConnectTimeout < 0:
		return nil, misconfigured("ClientConfig.ConnectTimeout", "is %v; want 0 for none, or more", cfg.ConnectTimeout)
	}
	if err := cfg.checkAddresses(); err != nil {
		return nil, err
	}
	if err := cfg.Reconnect.fill(); err != nil {
		return nil, err
	}
	if err := t.fill("ClientConfig", &cfg.Limits); err != nil {
		return nil, err
	}
	return t, checkStates("ClientConfig.States", cfg.States)
}

// checkAddresses finds what no attempt could get over.
func (cfg *ClientConfig[In, Out]) checkAddresses() error {
	var host string
	if cfg.Network != "unix" {
		var err error
		if host, _, err = net.SplitHostPort(cfg.RemoteAddress); err != nil {
			return misconfigured("ClientConfig.RemoteAddress", "is %q (%v); want host:port", cfg.RemoteAddress, err)
		}
		if _, _, err = net.SplitHostPort(cfg.BindAddress); err != nil && cfg.BindAddress != "" {
			return misconfigured("ClientConfig.BindAddress", "is %q (%v); want host:port, port 0 for any", cfg.BindAddress, err)
		}
	}
	if t := cfg.TLS; t != nil && t.ServerName == "" && !t.InsecureSkipVerify && host == "" {
		return misconfigured("ClientConfig.TLS", "has no ServerName, and RemoteAddress %q names none; set it", cfg.RemoteAddress)
	}
	return nil
}
