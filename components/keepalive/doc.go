// Package keepalive lends connections and takes them back, so that the next
// request to the same peer need not open a new one.
//
// # Example
//
// A pool for a crawler that is gentle to each host:
//
//	keepalive.Config{
//		MaxPerHost: 1,
//		MaxOpen:    500,
//		KeepAlive:  5 * time.Second,
//	}
//
// # Behaviour
//
// A request names a Key. It gets an idle connection of that key if there is
// one, and otherwise looks up the address, waits until the limits allow one
// more connection, and has one opened. One time limit covers all of that
// (A77). Each request is answered exactly once, unless it is cancelled first
// (A45, A101).
//
// Two limits hold at every moment. MaxPerHost counts the connections of one
// key that are lent or being opened; MaxOpen counts those of all keys, idle
// ones too (A3, A4). An attempt counts from its start (A65) until it has really
// ended: one that was given up keeps its slot while it may hold a descriptor,
// and if its connection comes after all, it goes to the next who waits for that
// key, or is kept idle.
//
// Requests of one key are served in the order in which they became ready (A58).
// Keys take turns, one request each; a key at its limit is passed over without
// losing its place, and holds up nobody (A61). Among idle connections the one
// returned last is lent first (A70), and the one idle longest is closed when
// room is needed (A67).
//
// A connection that comes back closed or with unread input is closed, not kept
// (A90). Idle ones are watched, and closed when they have anything to read
// (A95) or after Config.KeepAlive (A96).
//
// Shutdown answers every pending request with ErrShutDown, aborts what is being
// opened and closes what is idle; lent connections work on and are closed when
// they come back (A105–A108).
//
// # Differences from POE
//
//   - Keys take turns where MaxOpen is the bottleneck; POE serves strictly in
//     order of readiness (A58).
//   - The victim of MaxOpen is the longest idle, not a random one (A67).
//   - Cancelling works at every stage, and gives back a connection whose answer
//     is still on its way (A101, A103).
//   - Shutdown answers what is pending (A105).
//   - Negative times are refused, except NoLimit (A13).
//
// # Errors
//
// A request without a connection is answered with an *Error, which names the
// failing step and the key. Its cause may be ErrTimeout, ErrShutDown,
// ErrNoAddress, or what the resolver, the system or TLS reported. Misuse is
// refused at once with ErrArgument, ErrNoRequest, ErrNotLent or ErrShutDown.
//
// # Limits
//
// Requests that wait are not limited in number, only in time. With many keys
// and a small MaxOpen, taking turns costs more new connections than strict
// order would.
package keepalive
