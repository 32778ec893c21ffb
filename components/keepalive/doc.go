// Package keepalive lends connections to sessions and takes them back, so that
// the next request to the same peer need not open a new one.
//
// # Example
//
//	pool, err := keepalive.New(k, keepalive.Config{MaxPerHost: 2})
//
//	func (a *asker) ask(c *kernel.Context) error {
//		_, err := a.pool.Allocate(c, keepalive.Request{
//			Scheme: "echo", Addr: "127.0.0.1", Port: 7, Event: GotConn,
//		})
//		return err
//	}
//
//	func (a *asker) connected(c *kernel.Context, r keepalive.Response) error {
//		if r.Err != nil {
//			return r.Err
//		}
//		a.conn = r.Conn
//		rw, err := keepalive.Start(c, r.Conn, wheel.ReadWriteConfig[string, string]{
//			Filter: filter.Line(), InputEvent: GotLine, CloseEvent: Gone,
//		})
//		if err != nil {
//			return err
//		}
//		return rw.Put("hello")
//	}
//
//	func (a *asker) line(c *kernel.Context, line string) error {
//		return a.conn.Release()
//	}
//
//	func (a *asker) gone(c *kernel.Context, reason error) error {
//		return a.conn.Close()
//	}
//
// The Example below is the whole program.
//
// # Behaviour
//
// A request names a Key. It gets an idle connection of that key if there is one;
// otherwise it waits until the limits allow one more, and has it opened, TLS
// included. One time limit covers all of that (A77). Each request is answered by
// exactly one event, later and never at once, unless it is cancelled first (A27,
// A45, A101).
//
// Two limits hold at every moment. MaxPerHost counts the connections of one key
// that are lent or being opened; MaxOpen counts those of all keys, idle ones too
// (A3, A4). An attempt counts from its start (A65) until it has really ended: one
// that was given up keeps its slot while it may hold a descriptor, and if its
// connection comes after all, it goes to the next who waits for that key, or is
// kept idle.
//
// Requests of one key are served in the order in which they came (A58). Keys take
// turns, one request each; a key at its limit is passed over without losing its
// place, and holds up nobody (A61). So while a key waits below its limit, every
// other is served at most once before it: a request with p others before it under
// its key is among the next (p+1)·k to be served, where k is the number of keys
// that wait. Among idle connections the one returned last is lent first (A70), and
// the one idle longest is closed when room is needed (A67). Config.MaxWaiting
// bounds how many requests wait; one more is answered at once with
// ErrTooManyWaiting.
//
// A connection that comes back closed, half closed, with unread input or unsent
// output is closed, not kept (A87, A90, A92); what a TLS connection has decrypted
// and nobody read counts as unread. Idle ones are looked at once a second and
// before they are lent; one that has ended or has anything to read is closed (A93,
// A95). So is one that was idle for Config.KeepAlive (A96), or whose
// Config.MaxLifetime is over, at its release if it is lent. The look before a loan
// is never spared, however short ago the last one was: it costs a quarter of a
// microsecond, and what the peer did since then would be the next user's error.
//
// With a Config.Breaker a key that failed too often gets no more connections for a
// while, and its requests are answered at once with a CircuitError; see there.
// Conn.Report tells it what the pool cannot see.
//
// # Opening
//
// A literal address of either family is connected to as it is (A46, A47); every
// other name is looked up, by Config.Resolver or else the kernel's Network. Those
// who ask for a host while it is looked up share the answer; the lookup ends early
// when the last of them has left (A48, A54). Nothing is remembered: the next one
// asks again (A55). All addresses are tried, the families in turn, by RFC 8305: the
// next one 250 ms after the one before, or at once when that has failed; the first
// to connect wins, the others are closed. Until then an attempt may have a socket
// for each address, and counts as one connection. When all fail, the error is that
// of the first address.
//
// Scheme "https" adds TLS (A19). An Addr that begins with "/" or "@" is a unix
// socket. Each stage may have a time limit of its own beside the request's: see
// Config.WaitTimeout and those with it.
//
// # Events
//
//	Request.Event           Response  the one answer of an Allocate
//	the event of WatchStats Stats     now, and then every so often
//
// Response.FromCache is "immediate" for a connection that was idle when it was
// asked for, "deferred" for one that another user gave back, and empty for a new
// one (A38).
//
// # Lifetime
//
// A waiting request holds its session until the answer is posted (A32). When a
// session stops, its requests are cancelled and its connections closed (A82), also
// after the pool's end; when it gets a fresh receiver (kernel.Supervise), only what the
// old one had taken is closed, and answers come to the new one. A
// Conn that was forgotten is closed when the garbage collector finds it, and goes
// to kernel.Kernel.Report. With Config.LeakAfter one that is lent for too long goes
// there, too, with the line that asked for it; it stays lent.
//
// The pool is a session of its own. Without connections it does not keep the
// program; idle ones do, for KeepAlive, until Shutdown (A109). Shutdown answers
// every pending request with ErrShutDown, aborts what is being opened and closes
// what is idle; lent connections work on and are closed when they come back
// (A105–A108).
//
// # Goroutines
//
// Methods may be called from any goroutine, but for Allocate, WatchStats and Start,
// which are for handlers; Get and GetFor, which are for goroutines that may wait,
// and need a kernel that runs; and Release and Close of a connection with a wheel,
// which belong in a handler of the wheel's session. All but Get wait at most for
// what the pool is doing, which blocks nowhere. A Get of a connection that is idle, and
// a Release while no request waits, usually take no turn of the pool's session: then
// they do not wait for a serial kernel, either, and observers do not see them.
//
// A lookup, an attempt to connect and a TLS handshake take a goroutine each while
// they last, the first two not over a kernel.AsyncNetwork; an idle connection takes
// none. In simulated mode only the goroutine that runs the kernel may use the pool,
// Get not at all, and "https" is refused with ErrArgument: TLS needs a goroutine that
// virtual time would not wait for.
//
// # Errors
//
// A request without a connection is answered with an *Error, which names the
// failing step and the key. Its cause may be ErrTimeout, ErrTooManyWaiting,
// ErrCircuitOpen, ErrShutDown, or what the resolver, the system or TLS reported.
// Misuse is refused at once with ErrArgument, ErrNoRequest, ErrNotLent, ErrShutDown
// or ErrWouldWait.
//
// # Differences from POE
//
//   - Keys take turns where MaxOpen is the bottleneck; POE serves in order of
//     readiness (A58). The victim of MaxOpen is the longest idle, not a random
//     one (A67).
//   - Names are looked up in the slot of their connection, after the wait in the
//     queue, so that a slow lookup loses nobody's place (A58, A65). The port plays
//     no part in it (A49). Literals of IPv6 are literals (A47), and all addresses
//     are tried, both families raced (A50). A name without an address is reported
//     as "resolve" (A44).
//   - Config.Resolver is one pool's only (A10), is checked by the compiler (A9),
//     and nothing of it needs an end (A11, A110). How it works is its own matter:
//     there are no helper processes, and no options for them (A56, A57).
//   - Every request has an ID (A28). Cancelling works at every stage, and gives
//     back a connection whose answer is still on its way (A101, A103).
//   - Shutdown answers what is pending (A105).
//   - Conn.Release takes the place of the destructor, and Conn.Close frees the
//     slot, too (A82, A84); Start returns the wheel, which Conn does not keep
//     (A81).
//   - Context is optional (A21), 0 is a value like any other (A22), and negative
//     times are refused, except NoLimit (A13).
//   - Waiting requests are limited in number, connections in age, and failing
//     peers by a circuit breaker, if asked.
//   - There are statistics, by Stats and WatchStats (A111), and Get for goroutines.
//
// # Limits
//
// A key without connections is remembered, for its numbers and its Breaker, until
// 1000 others like it came after it. A requester whose kernel.QueueLimit is reached
// loses its answer; the pool reports that. With many keys and a small MaxOpen, taking
// turns costs more new connections than strict order would. Outside Unix the end of an
// idle connection is not noticed before its next use. There is no proxy and no retry: a
// connection may still die between the look at it and its first use (A120).
package keepalive
