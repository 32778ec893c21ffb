// Package backend keeps persistent connections to a backend server, and is that
// server: requests with their answers, and messages by service name.
//
// # Example
//
//	server, err := backend.NewServer(k, backend.ServerConfig{
//		Listen:   "127.0.0.1:7000",
//		Commands: map[string]kernel.Address{"double": "doubler"},
//	})
//
//	conn, err := backend.Open(k, backend.Config{Port: 7000})
//	err = conn.Ask(c, backend.Message{Name: "double", Args: []any{21}}, GotReply) // in a handler
//	v, err := conn.Request(ctx, backend.Message{Name: "double", Args: []any{21}}) // anywhere else
//
//	func double(c *kernel.Context, r *backend.Request) error {
//		n, ok := r.Args[0].(int)
//		…
//		return r.Reply(2 * n)
//	}
//
// The Example below is the whole program.
//
// # Behaviour
//
// Numbers are those of the list of behaviours that the package follows.
//
// A connection is named by its alias, one for each kernel (B1, B20). It registers
// with the server under its service name (B29), and is made anew when it breaks,
// after a wait that doubles from MinBackoff to MaxBackoff. Messages wait
// meanwhile, up to MaxQueued. A broken connection is noticed at its end of input
// (B26), or by a ping that is not answered within PingWait (B13); when to ping is
// the policy of Config.PingTimeout (B9–B11).
//
// A request has one answer: the server's, or ErrLost when the connection broke
// after it was sent, or ErrTimeout. Answers find their requests by ID, so that
// they may come in any order and no ping takes one (B14). A request that was not
// sent when the connection broke goes out over the next; one that was is never
// sent twice. Other messages are delivered at most once.
//
// The server passes a message with a To on to every other connection registered
// under that name, or to all (B33). Names are lower-cased; several connections may
// have one name (B30).
//
// # Events
//
//	Ask's event                  Reply     the one answer
//	Config.Events, to Deliver    Message   what answers nothing; the event is the message's name
//	ServerConfig.Commands        *Request  a command; the event is its name
//
// # Wire
//
// Frames of package filter's Event filter. A frame with an ID wants an answer,
// which carries that number as ReplyTo.
//
//	register_service  name, how often this connection was made anew   no answer (B29)
//	ping              any                                             pong, with the same (B31)
//	any, with a To    any                                             none; passed on with From (B33)
//	a command         any                                             reply, or error with a text
//	anything else                                                     error "unknown command" (B31)
//
// # Lifetime
//
// A Conn and a Server are a session each, a server's connections are children of
// its own. They keep the program until Close and Shutdown, which let output that
// was sent reach its peer, for at most five seconds. Ask holds the session that
// asked until it is answered.
//
// # Goroutines
//
// Methods may be called from any goroutine, but for Ask. Request, Ping and Connect
// wait for the network and do not belong in a handler; the others do not. A
// message is encoded by the goroutine that sends it, which may then change its
// arguments.
//
// # Foreign bytes
//
// What a peer sends costs at most its own connection. A frame that cannot be read
// is reported and answered in the negative, and the connection stays (B34); bytes
// that are no frames, a frame over MaxFrame, a client that says nothing at first
// or does not read its messages, end it. A message becomes an event only if its
// name is in ServerConfig.Commands or Config.Events. Memory for one client is
// bounded by MaxFrame and MaxOutput; what waits in the queues of the sessions
// behind Commands and Deliver is bounded only by their kernel.QueueLimit.
//
// # Errors
//
// ErrArgument names the field. ErrClosed, ErrLost, ErrTimeout, ErrFull and
// *RemoteError are a request's; kernel.ErrNotEncodable and filter.ErrTooLong
// refuse a message before it is sent. What nobody waits for goes to
// kernel.Kernel.Report: attempts that failed, messages dropped, clients refused.
//
// # Differences from Apache::Backend::POE
//
//   - The cache key is alias and kernel, not the order of the arguments (B2). The
//     ping policy belongs to the connection (B3) and is obeyed (B12). A missing
//     port is an error and not fatal (B4).
//   - Open retries by itself; Connect fails and keeps nothing, as there (B5).
//   - Close closes, also what others use (B15). Nothing is inherited by forked
//     workers, since Go has none: each process opens its own (B6–B8, B20).
//   - Connections and servers show themselves by kernel.Kernel.Describe; there is
//     no status page and no debug level (B16, B17, B35).
//   - Send followed by Close is the one-shot send (B19).
//   - Frames are protobuf, with a varint length (B21). Messages have an ID only
//     where an answer is wanted, and no time stamps (B22); arguments are positional
//     (B23).
//   - Waiting blocks (B24, B25), writes are whole or an error (B27, B28).
//   - Messages for a client's session go by Config.Events, not by res_<client>
//     (B32).
//
// # Limits
//
// No TLS, authentication, transactions or other serializers yet (B18): whoever
// can reach the server may register under any name and send to all. Listen on
// loopback or a unix socket. Both ends should have the same MaxFrame. Answers to
// messages by service name do not exist; send a message back to From.
package backend
