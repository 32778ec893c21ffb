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
//	SocketFactory  SuccessEvent  net.Conn          one connection
//	               FailureEvent  *Error            "connect", "accept"
//	               CloseEvent    error             nil once a client is connected, and after Drain
//	ReadWrite      InputEvent    In                one record
//	               FlushedEvent  struct{}          the output has drained to empty
//	               HighEvent     struct{}          unsent output has reached HighMark
//	               LowEvent      struct{}          and has since fallen to LowMark
//	               ErrorEvent    *Error            "read" (io.EOF: its end), "write", "filter"
//	               CloseEvent    error             nil after an orderly end
//	Run            StdoutEvent   string            one record
//	               StderrEvent   string            one record
//	               StdinEvent    struct{}          what was Put has drained to empty
//	               ErrorEvent    *Error            as with ReadWrite; Stream says which
//	               ExitEvent     *os.ProcessState  the process has ended
//	               CloseEvent    error             nil after exit status 0
//
// No event comes before the handler that made the wheel has returned. CloseEvent is
// the last one and comes once, on every wheel that ends by itself; then the wheel's
// descriptor is closed already. After Close, and after the session's end, nothing
// comes at all.
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
// of a session arrives; a Run until its process has ended and both outputs are
// closed. Context.Stop does not wait: what is unsent then is lost.
//
// # Goroutines
//
// Methods are for the handlers of the session that made the wheel, and none of
// them blocks. Goroutines wait for the system and wake the session: one per
// SocketFactory, one per ReadWrite that reads, one more while output is queued,
// three per Run. An idle TCP or unix connection holds no read buffer. Connections
// of other types (TLS, pipes, wrappers) are used through their own methods, each
// with a small buffer.
//
// SocketFactory and Run are Proto.Actor actors, children of their session's actor.
//
// Connect timeouts, the waits after a failed accept, and CloseFlushed's second run
// by the system's clock, in simulated mode, too.
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
//	W1        another session cannot use a wheel by accident: it has no events there
//	W5, W31   Exchange replaces event(), and does not resume a paused input (W6)
//	W7, W8    Exchange and Release replace a second wheel on one handle
//	W9, W12   fields are checked by the compiler, values by the constructor
//	W15, W32  no record follows PauseInput or Close, not even of the same read
//	W16       the end of input ends the wheel, unless HalfOpen is set
//	W18       Put after a write error returns an error
//	W20       Put returns an error; High reports the high state
//	W21       Put sends at once what the connection takes
//	W24       HighEvent is sent
//	W26       LowEvent is never lost
//	W27, W30  marks and filters change through Exchange
//	W28       pending bytes are delivered in the wheel's next turn
//	W33       ShutdownOutput and CloseStdin wait for what is queued, without blocking
//	W38, W59  failures that a constructor can know are its error
//	W40       all addresses of a name are tried, without blocking the kernel
//	W43, W44  a client's CloseEvent follows success and failure
//	W46       an empty host means loopback
//	W49       accept's errors are decided one by one; lack of descriptors waits
//	W52       no datagrams
//	W60, W61  pipes only, no terminals
//	W63       the error's Stream is a field
//	W64       CloseEvent comes from every Run, after the exit, too
//	W65       Run reaps its process; ExitEvent brings its state
//	W67       Kill takes the whole group
//	W68, W76  no function programs; Go cannot fork
//	W70       no Priority, User, Group: SysProcAttr has what Go offers
//	W71       no redirects: use Shell
//	W72       a Run without an event for an output passes it through, as in POE
//
// # Bugs
//
// An unfinished record at the end of input is dropped (W16); only a filter can
// tell whether that matters. A process that hands its output to a daemon keeps its
// Run open until that ends. Drains that follow each other before the owner's turn
// are one FlushedEvent.
package wheel
