package tcp

import (
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// Events that a program posts to a server's session, to the session of one of its
// connections, or to a client's. Shutdown and Reconnect need no argument, so that
// c.Post("echo", "shutdown") will do.
const (
	// Shutdown has a server stop listening (C15), and a connection or client send
	// what is unsent and close (C14, C32). Doing it twice does no harm (C34).
	Shutdown kernel.Event[struct{}] = "shutdown"

	// Put, to a connection or a client, sends its arguments, each a record. See
	// Conn.Send, which is Put with types.
	Put = "put"

	// SetConcurrency changes a server's limit (C18): NoLimit, 0 for nobody, or
	// more.
	SetConcurrency kernel.Event[int] = "set_concurrency"

	// Drain is Shutdown for a server and, after the time given, for every
	// connection that is left.
	Drain kernel.Event[time.Duration] = "drain"

	// Disconnected tells a server with an Acceptor that one of its connections is
	// over (C19).
	Disconnected kernel.Event[struct{}] = "disconnected"

	// Reconnect has a client connect anew to the address it connected to last
	// (C35); Connect does so to another one, "host:port" or a path, and remembers
	// it. A connection that is up is closed first.
	Reconnect kernel.Event[struct{}] = "reconnect"
	Connect   kernel.Event[string]   = "connect"
)

// What sessions of this package tell themselves.
const (
	ownPrefix = "tcp_"

	// A server's.
	evConn     kernel.Event[net.Conn]     = "tcp_connection"
	evTrouble  kernel.Event[*wheel.Error] = "tcp_trouble"
	evEnd      kernel.Event[error]        = "tcp_end"
	evDeadline kernel.Event[struct{}]     = "tcp_deadline"
	evDie                                 = "tcp_die"

	// A connection's, its server's or its client's.
	evInput                              = "tcp_input"
	evFlushed kernel.Event[struct{}]     = "tcp_flushed"
	evHigh    kernel.Event[struct{}]     = "tcp_high"
	evLow     kernel.Event[struct{}]     = "tcp_low"
	evError   kernel.Event[*wheel.Error] = "tcp_error"
	evClosed  kernel.Event[error]        = "tcp_closed"
	evIdle    kernel.Event[struct{}]     = "tcp_idle"
	evStuck   kernel.Event[struct{}]     = "tcp_stuck"
	evDrain   kernel.Event[struct{}]     = "tcp_drain"

	// A client's.
	evUp      kernel.Event[net.Conn]     = "tcp_up"
	evFailed  kernel.Event[*wheel.Error] = "tcp_failed"
	evTimeout kernel.Event[struct{}]     = "tcp_timeout"
	evWake    kernel.Event[struct{}]     = "tcp_wake"
)

// Events has what happens sent to a session of the program, where a callback would
// run in the session of the connection. The Owner is called (Context.Call), so
// that it may hold a connection up and nothing piles up in its queue; an error of
// its handler counts as the callback's. When there is no Owner any more, the
// connection is closed and that is reported.
//
// The handler's Context.Sender is the session of the connection; it answers with
// Conn.Send, or by posting Put or Shutdown to it. For each thing that happens
// there may be a callback or an event, or neither.
type Events[In, Out any] struct {
	Owner kernel.Address

	Connected    kernel.Event[*Conn[In, Out]]
	Input        kernel.Event[In] // and, as Context.Arg(1), the *Conn
	Flushed      kernel.Event[*Conn[In, Out]]
	High, Low    kernel.Event[*Conn[In, Out]]
	Error        kernel.Event[*wheel.Error] // and, as Context.Arg(1), the *Conn
	Disconnected kernel.Event[*Conn[In, Out]]

	// Drain is a server's only: ClientDrain.
	Drain kernel.Event[*Conn[In, Out]]

	// ConnectError is a client's only; Context.Arg(1) is the *Conn.
	ConnectError kernel.Event[*wheel.Error]
}
