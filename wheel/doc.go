// Package wheel does a session's input and output: it turns sockets and child
// processes into typed events.
//
//	const (
//		GotConn kernel.Event[net.Conn] = "got_conn"
//		GotLine kernel.Event[string]   = "got_line"
//		Gone    kernel.Event[error]    = "gone"
//	)
//
//	func (s *server) start(c *kernel.Context) (err error) {
//		s.listener, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
//			BindAddress: ":8080", SuccessEvent: GotConn,
//		})
//		return err
//	}
//
//	func (s *server) conn(c *kernel.Context, conn net.Conn) error {
//		rw, err := wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[string, string]{
//			Filter: filter.Line(), InputEvent: GotLine, CloseEvent: Gone,
//		})
//		s.clients[rw.ID()] = rw
//		return err
//	}
//
//	func (s *server) line(c *kernel.Context, line string) error {
//		return s.clients[c.Wheel()].Put(line)
//	}
//
//	func (s *server) gone(c *kernel.Context, reason error) error {
//		delete(s.clients, c.Wheel())
//		return nil
//	}
//
// # Events
//
// A wheel belongs to the session that made it. Its events run that session's
// handlers, with the wheel's ID in Context.Wheel; an event whose field is empty is
// not sent.
//
//	SocketFactory  SuccessEvent   net.Conn          one connection, or datagram socket
//	               FailureEvent   *Error            "connect", "accept", "handshake"
//	               CloseEvent     error             nil once a client is connected, and after Drain
//	ListenAccept   AcceptEvent, ErrorEvent, CloseEvent: a SocketFactory by POE's other name
//	ReadWrite      InputEvent     In                one record
//	               FlushedEvent   struct{}          the output has drained to empty
//	               HighEvent      struct{}          unsent output has reached HighMark
//	               LowEvent       struct{}          and has since fallen to LowMark
//	               ErrorEvent     *Error            "read" (io.EOF: its end), "write", "filter"
//	               CloseEvent     error             nil after an orderly end
//	Datagram       InputEvent     Packet            one datagram
//	               FlushedEvent   struct{}          the output has drained to empty
//	               ErrorEvent     *Error            "read", "write"; it goes on if it can
//	               CloseEvent     error             nil after CloseFlushed
//	Run            StdoutEvent    string            one record; with Decode of any type
//	               StderrEvent    string            likewise
//	               StdinEvent     struct{}          what was Put has drained to empty
//	               ErrorEvent     *Error            as with ReadWrite, and "wait"; Stream says which
//	               ExitEvent      *os.ProcessState  the process has ended
//	               CloseEvent     error             nil after exit status 0
//	FollowTail     InputEvent     In                one record
//	               ResetEvent     Reset             reading begins at the start of a file
//	               IdleEvent      struct{}          nothing came for a PollInterval
//	               ErrorEvent     *Error            "open", "stat", "read", "filter"
//	               CloseEvent     error             nil after the end of a pipe
//	ReadLine       InputEvent     ReadLineInput     the answer to one Get
//	               CompleteEvent  *Completion       the user has pressed Tab
//	               CloseEvent     error             nil after the end of the input
//
// No event comes before the handler that made the wheel has returned. CloseEvent is
// the last one and comes once, on every wheel that ends by itself; then the wheel's
// descriptor is closed already. After Close, and after the session's end, nothing
// comes at all. Package wheeltest checks these promises, for wheels of your own, too.
//
// Records are taken from the filter one at a time, each with a fresh look at
// filter, pause and end, so that a handler may change any of them between two
// records of one read; after 64 of them other events of the session have their turn.
//
// # How a ReadWrite ends
//
// The directions end apart. The peer's end of input is an ErrorEvent with io.EOF;
// then, unless HalfOpen is set, unsent output is sent and the wheel ends. A write
// error drops the output; input goes on until its own end. A read error, and input
// that the filter cannot read any further (filter.ErrUnusable), end both, the
// latter after what is unsent was sent. CloseEvent carries the first failure.
//
// # Lifetime
//
// A wheel holds its session while something may come of it: a SocketFactory while
// it listens or connects, paused or not; a ReadWrite with an InputEvent until the
// end of input, and any ReadWrite until its output is sent, so that the last Put
// of a session arrives; a Datagram likewise; a Run until its process has ended and
// both outputs are closed; a FollowTail as long as it follows; a ReadLine while a
// Get waits for its answer. Context.Stop does not wait: what is unsent then is lost.
//
// # Goroutines
//
// Methods are for the handlers of the session that made the wheel, and none of
// them blocks. Reading, writing and decoding happen in the owner's turn, when the
// system says that a descriptor is ready: on Linux sockets, pipes and terminals of
// all wheels share one goroutine that asks (epoll), and an idle connection has
// neither a goroutine nor a buffer. On other systems, and for connections of other
// types (TLS, net.Pipe, wrappers), a goroutine with a small buffer reads, and another
// writes while there is something to write. A SocketFactory has one goroutine that
// accepts or connects, unless it is Lean, and one for each TLS handshake; a Run up to three; a
// FollowTail one, and all of them one more for fsnotify.
//
// SocketFactory and Run are Proto.Actor actors, children of their session's actor.
//
// Timeouts run by the kernel's clock, but for TLS handshakes, FollowTail's looks at
// its file and ReadLine's IdleTime, which are in real time. Over a network in memory
// whose connections are Pollable, such as wheeltest's, nothing happens outside the
// kernel's turns, so that a simulated kernel misses nothing. The system's sockets have
// no place in a testing/synctest bubble: who waits for them belongs to the whole process.
//
// # Limits
//
// Credit bounds unread input and MaxOutput unsent output, in bytes; Ahead bounds
// the connections that were accepted and wait for their owner. Beyond input's
// bounds the peer waits; Put over its own is refused.
//
// # Errors
//
// Constructors return what they can know: errors that match ErrConfig, a failed
// listen or start. What happens later is an *Error in an event. Put returns
// errors that match ErrClosed and ErrOutputFull. Errors of the system match its
// numbers, such as syscall.ECONNREFUSED, through errors.Is.
//
// # Differences from POE
//
// docs/porting.md, part 4, has every line from W1 to W95, as tests and comments
// number them.
//
// # Bugs
//
// An unfinished record at the end of input is dropped (W16), but by FollowTail;
// only a filter can tell whether that matters. A process that hands its output to a daemon keeps its
// Run open until that ends: Close ends the wheel, and Kill may reach the daemon.
// Drains that follow each other before the owner's turn are one FlushedEvent. TCP's
// urgent byte is lost, and descriptors that come over a unix socket are closed.
package wheel
