// Package backend keeps persistent connections to a backend server, and is that
// server: requests with their answers, messages by service name, transactions. It
// speaks to its like, to anything that can write JSON, and to the programs that
// Apache::Backend::POE was made for.
//
// # Example
//
//	server, err := backend.NewServer(k, backend.ServerConfig{
//		Listen:   "127.0.0.1:2021",
//		Commands: map[string]kernel.Address{"double": "doubler"},
//	})
//
//	conn, err := backend.Open(k, backend.Config{Port: 2021})
//	err = conn.Ask(c, backend.Message{Name: "double", Args: []any{21}}, GotReply) // in a handler
//	v, err := conn.Request(ctx, backend.Message{Name: "double", Args: []any{21}}) // anywhere else
//
//	func double(c *kernel.Context, r *backend.Request) error {
//		n, ok := r.Args[0].(int)
//		…
//		return r.Reply(2 * n)
//	}
//
//	tx, err := conn.Begin(ctx)
//	err = tx.Send(backend.Message{Name: "news", To: "web", Args: []any{"sold out"}})
//	err = tx.Commit(ctx) // all of it reaches the registry now, or nothing
//
// The Example below is the whole program.
//
// # Connections
//
// Numbers are those of the list of behaviours that the package follows.
//
// A connection is named by its alias, one for each kernel (B1, B20). It registers
// with the server under its service name (B29), and is made anew when it breaks,
// after a wait that doubles from MinBackoff to MaxBackoff. Messages wait
// meanwhile, up to MaxQueued and MaxQueuedBytes; Overflow says which one goes when
// there is no room. With FailFast they fail at once, when so many attempts have
// failed, until one succeeds. A broken connection is noticed at its end of input (B26), or
// by a ping that is not answered within PingWait (B13): pings come before
// messages, by the policy of Config.PingTimeout and SetPingTimeout (B9–B11), and
// when nothing was heard for IdlePing. A server may ask for a least time between
// them, within which having been heard from is as good as a pong.
//
//	Connecting → Authenticating → Ready ⇄ Suspect (a ping is out)
//	Ready, Suspect → Draining     Conn.Drain, or the server is about to close
//	any → Reconnecting → Connecting
//	any → Closed
//
// Conn.Watch has each of these changes posted. Conn.State has the present one.
//
// A request has one answer: the server's, or ErrLost when the connection broke
// after it was sent, or ErrTimeout, or ErrRefused. Answers find their requests by
// ID, so that they may come in any order and no ping takes one (B14). A request
// that was not sent when the connection broke goes out over the next; one that was
// is never sent twice. Other messages are delivered at most once.
//
// ConnectOnInit opens connections when the kernel starts: in every worker of a
// preforking program, never in its master (B6–B8).
//
// # Server
//
// The server passes a message with a To on to every other connection registered
// under that name, or to all (B33). Names are lower-cased; several connections may
// have one name (B30). A message with a Client goes to the session "res_" and that
// name in the server's kernel, as BackendResponse (B32). Server.Drain has clients
// finish what they have begun, and go elsewhere: what is on its way to it is answered,
// what comes later waits for the next connection.
//
// A server that is killed, by kill -9 too, takes its connections with it: each client
// is back within its back-off once there is a server again, each request has its one
// outcome, and no transaction is half committed.
//
// # Seeing it at work
//
// StatusHandler is the page "Backend connections" (B16), as HTML and JSON: the
// connections of a kernel, and the clients of servers; ReadStatus is what it shows.
// Server.Display is a row for each service on a terminal, drawn in place, or a line
// for each change on what is none (B35). Both are made of Conn.State, Server.State
// and Server.Status, which says of each client what it last did; Server.Watch tells
// who comes and goes.
//
// # Transactions
//
// Guaranteed: until Commit the messages are kept by the server, apart from those
// of other transactions. A commit hands all of them to the registry in one turn,
// in order and with no other message between, and is answered after that.
// A rollback, a break of the connection, ServerConfig.TxTimeout, a limit, a message
// that is refused, and the end of the server before the commit mean that none is
// ever delivered. Nothing of it is sent again by itself. After ErrUnknownOutcome
// Conn.Outcome says Committed or RolledBack, and the latter stays so.
//
// Not guaranteed: that a receiver gets what the registry has taken. It is
// delivered at most once, to the connections that were registered at that moment
// (Tx.Receivers counts them), and to one that breaks the first of the messages may
// have come and the others not. Nothing is on disk: a server that ends takes what
// it has not sent yet with it, and what it knew of outcomes, which are then
// Unknown; so they are a minute after a commit can have been. There is no isolation
// from what others send, and no transaction spans two servers.
//
// # Security
//
// A server listens on loopback or a unix socket. Anything else needs a way to know
// who comes: NewServer refuses it without Secrets, Auth, or TLS with client
// certificates. Nothing but the hellos is accepted from a client before it is let
// in, within HelloTimeout. With Secrets each end proves to the other that it knows
// the user's secret: an HMAC-SHA256 over both hellos, with nonces of both, and the
// TLS connection, so that nothing that was overheard is of use and nobody stands
// in between. Without TLS what follows can be read and changed on its way: use
// both. Failed attempts have their address wait, longer each time, everybody there
// included. Allow says who may register, send to, and broadcast what.
//
// # Events
//
//	Conn.Ask, Conn.AskPing      Reply         the one answer
//	Conn.AskBegin               Begun         the transaction, or why there is none
//	Tx.AskCommit, AskRollback   Ended         how it ended
//	Conn.AskOutcome             Asked         how it had ended
//	Conn.Watch                  Change        one step of a connection
//	Config.Events, to Deliver   Message       what answers nothing; the event is the message's name
//	ServerConfig.Commands       *Request      a command; the event is its name
//	BackendResponse             Message       a message for a client's session, "res_…"
//	Server.Watch                ServerChange  a client has come, registered, gone
//
// # Wire
//
// First a hello each way, lines of JSON of at most 4 KiB: the range of versions of
// the protocol, of which both use the newest that they share and part if they share
// none; the serializers offered and the one chosen; the least time between pings;
// whether a proof of the secret is wanted, which is one more line each way. Then
// messages: with Protobuf as frames of package filter's Event filter, with JSON as
// objects of the same fields behind a decimal length and a NUL. A frame with an ID
// wants an answer, which carries that number as ReplyTo.
//
//	register_service  name, how often this connection was made anew   no answer (B29)
//	ping              any                                             pong, with the same (B31)
//	any, with a To    any                                             none; passed on with From (B33)
//	client            a client's name, a message's, its arguments     none (B32)
//	tx_begin          ID                                              reply, with a token
//	tx_send           ID, name, to, list of arguments                 none
//	tx_commit         ID, how many were sent                          reply, with a count each
//	tx_rollback       ID                                              reply
//	tx_outcome        ID, token                                       reply, with a word
//	a command         any                                             reply, or error
//	anything else                                                     error "unknown command" (B31)
//	drain, from the server            ID                              reply, when nothing new follows
//
// An error has a text, and perhaps a code: see RemoteError.
//
// A client whose first byte is a digit is one of Perl's: it has no hello, and is
// served on the same port if ServerConfig.Serializers has Storable. Its messages
// are hashes, perhaps of the class MessageClass (B21, B22): cmd, svc_name, time,
// client, id and event mean what they do there, all else is the message's own, and
// the only argument here; service and args are To and Args. Answers carry the id
// as reply_to. Package storable has the limits. With Config.Serializer Storable our
// client speaks that to servers in Perl.
//
// # Lifetime
//
// A Conn and a Server are a session each, a server's connections are children of
// its own. They keep the program until Close, Drain and Shutdown, which let output
// that was sent reach its peer, for at most five seconds. Ask holds the session
// that asked until it is answered; an answer that its kernel.QueueLimit has no room
// for is dropped and reported.
//
// # Goroutines
//
// Methods may be called from any goroutine, but for those with a kernel.Context.
// What takes a context.Context waits for the network and does not belong in a
// handler; the others do not. A message is encoded by the goroutine that sends it,
// which may then change its arguments. ServerConfig.Auth and TLS handshakes have
// goroutines of their own; all else runs in handlers.
//
// # Foreign bytes
//
// What a peer sends costs at most its own connection. A message that cannot be read
// is reported and, where it can be told whose it is, answered in the negative, and
// the connection stays (B34); bytes that are no messages, one over MaxFrame, a
// client that says nothing at first or does not read its messages, end it. A
// message becomes an event only if its name is in ServerConfig.Commands or
// Config.Events, or if a session has its client's alias. Memory for one client is
// bounded by MaxFrame, MaxOutput, MaxTx and MaxTxBytes, for all of them by MaxConns
// and MaxOutputTotal; what waits in the queues of the sessions behind Commands and
// Deliver is bounded only by their kernel.QueueLimit.
//
// # Errors
//
// ErrArgument names the field. ErrClosed, ErrLost, ErrTimeout, ErrFull, ErrDown,
// ErrRefused and *RemoteError, which may match ErrDenied or ErrLimit, are a request's;
// ErrRolledBack, ErrUnknownOutcome and ErrEnded a transaction's. kernel.ErrNotEncodable
// and filter.ErrTooLong refuse a message before it is sent. What nobody waits for
// goes to kernel.Kernel.Report: attempts that failed, messages dropped, clients
// refused.
//
// # Differences from Apache::Backend::POE
//
//   - The cache key is alias and kernel, not the order of the arguments (B2). The
//     ping policy is obeyed (B12), for every message and Connect. A missing port is
//     an error and not fatal (B4).
//   - Open retries by itself; Connect fails and keeps nothing, as there (B5).
//   - Close closes, also what others use (B15). All is its all_handlers,
//     StatusHandler its entry on the status page, and kernel.Kernel.Describe has
//     connections and servers, too (B16); a kernel.Observer is told what its debug
//     levels print (B17).
//   - Middleware is the hook at a request's end (B18), Oneshot the one-shot send
//     (B19).
//   - Frames are protobuf (B21) and messages have neither time stamps nor, where no
//     answer is wanted, an ID (B22), unless the serializer is Storable; arguments
//     are positional (B23).
//   - Waiting blocks (B24, B25), writes are whole or an error (B27, B28).
//   - A message does not come back to its sender (B33). Server.Status and
//     Server.Display have one more word, "active" (B35).
//
// # Limits
//
// Both ends should have the same MaxFrame. Answers to messages by service name do
// not exist; send a message back to From. With JSON and Storable, numbers and times
// arrive as other kinds than they were sent.
package backend
