// Package tcp is a TCP server or client in one call: a session that listens, with
// one for each connection, or a session that connects and comes back. They are
// POE::Component::Server::TCP and POE::Component::Client::TCP.
//
// # Example
//
//	server, err := tcp.NewServer(k, tcp.ServerConfig[string, string]{
//		Address: "127.0.0.1:7777",
//		Filter:  filter.Line,
//		ClientInput: func(c *kernel.Context, client *tcp.Conn[string, string], line string) error {
//			return client.Put(line)
//		},
//	})
//
//	client, err := tcp.NewClient(k, tcp.ClientConfig[string, string]{
//		RemoteAddress: "127.0.0.1:7777",
//		Filter:        filter.Line,
//		Reconnect:     tcp.ReconnectPolicy{Attempts: tcp.NoLimit},
//		Connected:     func(c *kernel.Context, server *tcp.Conn[string, string]) error { return server.Put("hello") },
//		ServerInput: func(c *kernel.Context, server *tcp.Conn[string, string], line string) error {
//			fmt.Println(line)
//			return nil
//		},
//	})
//
// The type parameters are what the filter reads and what it writes. The Example
// below is the whole program; examples/echo and examples/chat are two more.
//
// # Callbacks
//
// A connection's go in this order (C8); on a client PreConnect and those of Server
// instead of Client.
//
//	ClientPreConnect    once; may wrap the connection, or refuse it
//	ClientConnected     once
//	ClientInput         for each record
//	ClientFlushed       each time the output has drained to empty
//	ClientHigh, -Low    as unsent output passes the marks
//	ClientError         for an error, and for the peer's end of input
//	ClientDisconnected  once, if ClientConnected was called, whatever ended it
//
// Those of a server, Started, Error and Stopped, run in its session; those of a
// client, Started and ConnectError besides, in the client's, which is the same
// through all reconnects. What a connection has to remember is in Conn.Heap, or in
// the program's own map. A type alias, type conn = tcp.Conn[string, string], keeps
// signatures short.
//
// A callback belongs to the session that it runs in (C11, C41): timers, aliases,
// signals and wheels that it makes through its Context are that one's, and go with
// it. Other sessions reach it by the events below, and by those in ClientStates and
// States: so one side of a proxy has the other pause its input, or end its output.
//
// # Events
//
// What may be posted to these sessions:
//
//	to a server      Shutdown        struct{}       stop listening
//	                 Drain           time.Duration  and end what is left after that time
//	                 SetConcurrency  int            the limit
//	                 Disconnected    struct{}       an Acceptor's connection is over
//	to a connection  Put             records        send them
//	                 Shutdown        struct{}       send the rest, and close
//	to a client      Put, Shutdown                  the same
//	                 Reconnect       struct{}       connect anew
//	                 Connect         string         and to another address
//
// And what Events has sent to a session of the program instead of callbacks, by
// Context.Call:
//
//	Connected, Disconnected, Flushed, High, Low, Drain  *Conn
//	Input                                               record, *Conn
//	Error, ConnectError                                 *wheel.Error, *Conn
//
// Of a server itself, Context.Monitor tells the end.
//
// # How a connection ends
//
// A shutdown, by Conn.Shutdown or by event, stops the input at once, sends what is
// unsent and closes; the peer has Limits.FlushTimeout for that. Conn.Close loses
// what is unsent. A peer that ends its input gets what is unsent, too, and what
// ClientError still puts; to one that only waits for answers which are not made yet,
// ClientKeepOnError leaves the output open. A write that fails, a record that the
// filter refuses, silence for Limits.IdleTimeout, and output beyond Limits.MaxOutput
// end the connection after ClientError, and ClientKeepOnError changes that for the
// first two and the peer's end. With what is unread or unsent gone, closing takes up
// to a second, while the peer closes its side; see wheel.ReadWrite.CloseFlushed.
//
// # Failure
//
// An error that a callback of a server's connection returns, or its panic, costs
// that connection: it is closed at once, no callback follows but
// ClientDisconnected, and the server handles DIE and reports the *kernel.Exception.
// Everything else goes on. Events that the connection's session has posted to itself
// are still handled. A program that watches DIE in Started takes this over from the
// server. Two errors are no failure: Put's, when the connection is ending anyway or
// takes no more (see Conn.Put).
//
// The failure of a server's own callback, of a client's, and of sessions that the
// program makes below a connection, is the program's: DIE goes its way, and stops
// the kernel unless somebody handles it. A client's connection is closed, and the
// client does not reconnect by itself.
//
// # Lifetime
//
// A server lives while it listens or has connections; then Stopped runs. The session
// of a connection lives until Disconnected, or longer if the program has given it a
// timer or an alias. A client lives while it connects, waits to, or is connected,
// and while its alias holds it: that one goes with a shutdown, and with a connection
// that is lost and not to be made again (C36).
//
// # Goroutines
//
// NewServer and NewClient may be called anywhere, with a Kernel, or in a handler,
// with its Context: then the new session is a child. Methods of Server and Client
// are for any goroutine and never wait. Those of Conn are for the handlers of its
// own session, but for Send, Session, String and the addresses. Callbacks of
// different connections run at the same time in a parallel kernel: what they share
// needs an owner, such as Events.Owner, or a lock. ClientPreConnect and
// ClientConnected run while the server's session waits for them.
//
// Timeouts and waits run by the kernel's clock, but for TLS handshakes, which
// HandshakeTimeout limits in real time.
//
// # Errors
//
// Constructors return errors that match ErrConfig, before there is a session (C1),
// and what a listen, an alias or Started says. Later errors are *wheel.Error, of Op
// "accept", "handshake", "connect", "preconnect", "read" (io.EOF: the peer's end),
// "write", "filter" and "idle" (ErrIdle). What no callback takes goes to
// kernel.Kernel.Report, but for end and reset by the peer.
//
// Server.State and Client.State are a glimpse, which kernel.Kernel.Describe shows,
// too.
//
// # Differences from POE
//
//	C1, C24   a Server or a Client, whose Session is the ID; fields are checked by the compiler
//	C3        no address means loopback; all interfaces are "0.0.0.0:80"
//	C4, C5    a failed listen is NewServer's error; an accept that cannot go on ends as Shutdown does, alias included
//	C7        Conn.RemoteAddr, also for IPv6 and unix sockets
//	C8        Disconnected is told, too, when the session is stopped from outside
//	C9, C26   nil refuses, an error is reported
//	C10       kernel.Args in SessionOptions, or a closure
//	C13, C14  after the peer's end of input unsent output is sent; ClientKeepOnError is the other way round
//	C15       connections that were accepted before a shutdown are served, unless the limit was reached
//	C17       0 is no limit; SetConcurrency(0) is nobody
//	C18       NoLimit resumes a paused server
//	C20, C37  Filter is a function that makes one; it reads and writes
//	C21, W24  High is told; LowMark may be 0
//	C22       States get the Conn; _start is not theirs
//	C23       SessionOptions
//	C27, C7   addresses are the Conn's
//	C28       a reconnect inside ConnectError counts, called or posted
//	C29       ConnectTimeout is exact, and covers name lookup and TLS
//	C31       as C13
//	C34       a second shutdown does nothing
//	C35       a reconnect while connected tells Disconnected first
//	C36       with a ReconnectPolicy the alias stays while the client waits
//	C38       the end of one connection says nothing about the next
//	C39       ReconnectPolicy; ServerKeepOnError
//	C40       no reserved keys: Conn.Heap is the program's
//
// # Limits
//
// High is told in the wheel's turn, so that the records of one read, 64 at most, may
// be handled before it. A ClientInput that answers more than it gets should watch the
// marks and pause the input: a peer that sends and does not read otherwise ends at
// MaxOutput. A server that is shut down while its limit is reached closes the
// connections that were waiting. runtime.Goexit in ClientConnected ends the server's
// handler, too.
package tcp
