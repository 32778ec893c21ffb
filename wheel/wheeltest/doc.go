// Package wheeltest has what tests of wheels, and of programs that use them, need: a
// network in memory, faulty connections, and checks that any wheel has to pass.
//
//	n := wheeltest.New(wheeltest.Config{
//		Seed: seed,
//		Link: wheeltest.Link{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.01},
//	})
//	n.SetHost("db.example", "10.0.0.7", "fd00::7")
//	k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: n}))
//	k.Spawn(newServer("db.example:5432"))
//	k.Spawn(newClient("db.example:5432"))
//	n.After(3*time.Second, func() { n.Cut("localhost", "db.example") })
//	n.After(9*time.Second, func() { n.Heal("localhost", "db.example") })
//	kerneltest.Run(t, k)
//	n.Check(t) // nothing is open any more
//
// # Network
//
// A [Network] is a kernel.Network: TCP and UDP over IPv4 and IPv6, unix sockets,
// names. Its connections are wheel.Pollable, so that wheels use them without a
// goroutine, and blocking net.Conns as well.
//
// Hosts are made by SetHost, and by every other address that somebody uses. Who asks
// the Network itself is the host "localhost": 127.0.0.1 and ::1, to others 192.0.2.1
// and 2001:db8::1. On makes a kernel another host. The loopback addresses are
// localhost's, whoever asks. Listening on an address that is not one's own works:
// one kernel may play all hosts. Unix sockets are the host "unix", for which there
// is no loss and no duplicate.
//
// Between hosts lies a [Link]: delay, jitter, bandwidth, loss. A segment of a stream
// of n bytes arrives n/Bandwidth after the last one has left, plus Delay, plus what
// chance adds. To connect takes a round trip; the other side can accept half a round
// trip later. Nothing happens inside the call that causes it: with all of these
// zero, it happens after it, at the same instant.
//
// # Time
//
// With a simulated kernel a Network keeps its time, and belongs to it alone. The
// seed of Config, and nothing else, decides what is left to chance: the same program
// with the same seeds gives the same bytes at the same nanoseconds; Config.Trace
// shows it. What arrives at one instant is seen together or apart, by chance. A
// blocking call that would have to wait gets an error that matches [ErrWouldWait].
//
// Several simulated kernels, each a host of its own, need a further one to keep the
// network's time, Config.Clock, and somebody to drive all of them in step: package
// clustertest of components/cluster does.
//
// Otherwise time is that of the system, or of the testing/synctest bubble in which
// the Network is used; any number of kernels, and code without one, can share it.
//
// # Streams
//
// They keep TCP's promise: bytes arrive once and in order, or the connection breaks.
// Config.Buffer bytes may be sent and not read, then the writer waits. Ends are as
// on Linux:
//
//   - After CloseWrite the peer reads io.EOF; the other direction goes on.
//   - Close with input that has arrived and was not read, or after SetLinger(0),
//     resets the connection. So does input that arrives after Close.
//   - A reset does not take away what had arrived before it. Behind that,
//     syscall.ECONNRESET comes once, to a read or to a write; then reads give io.EOF
//     and writes syscall.EPIPE. After the peer's end, it is EPIPE at once, and
//     io.EOF when reading.
//   - A write to a peer that has closed succeeds, until its reset has come back;
//     over a unix socket, until its end has come.
//
// Errors are *net.OpErrors as package net makes them, down to the *os.SyscallError.
// There is no TIME_WAIT, and no limit to how often something is sent again: a cut
// that is healed loses no connection.
//
// # Faults
//
//	Link                      loss, duplicates, late ones, resets, black holes
//	Network.Cut, CutOneWay    partitions, until Heal
//	Network.Crash             all that a host has open
//	Conn.Reset, Lose, Stall   one connection, known to both ends, to none, or late
//	FailDial, FailLookup      the next ones fail
//	FailAccept                the next accepts at an address fail, such as with EMFILE
//	Listener.SetBacklog       who finds no room waits
//	Network.After             all of these at a given time
//	Faulty                    a script for one end: short reads and writes, errors,
//	                          garbage, delays, at given places; for real
//	                          connections, too
//
// Network.Conns finds connections that wheels have made. Open and Check list what
// was not closed, with where it was made; Stats counts.
//
// # Conformance
//
// Run makes a wheel many times, in each of the kernel's modes, leaves it alone or
// closes or stops it at each of its events, and checks that
//
//   - no event comes before the handler that made the wheel has returned;
//   - CloseEvent comes once, with the reason alone, and nothing after it;
//   - nothing comes after the owner's Close or Stop, wherever that is called;
//   - the wheel holds its session until its end, and not longer;
//   - its connections are closed when CloseEvent comes and when Close returns, and
//     its Source is;
//   - nothing is left: connections, listeners, goroutines, descriptors;
//   - simulated, the same seed gives the same events at the same times.
//
// For a new wheel that is one function:
//
//	func TestTickerConforms(t *testing.T) {
//		wheeltest.Run(t, wheeltest.Case{
//			Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
//				return NewTicker(c, w.Conn("tick\n", "tick\n"), TickerConfig{
//					TickEvent: "tick", CloseEvent: wheeltest.Closed,
//				})
//			},
//		})
//	}
//
// [World] also has a server, clients and a directory. Case.End is for a wheel that has
// to be asked to end, Case.Endless for one that never does; Case.Real leaves out the
// simulated kernel, for wheels on files and processes.
//
// # Goroutines
//
// Everything may be used from any goroutine, but with a simulated kernel only where
// that runs: in its handlers, and where nothing runs. There a context's end is
// noticed with the answer to a dial; only cancel gives up before.
//
// # Limits
//
// Tables of addresses belong to the network, not to hosts: a host has no interfaces
// that go up and down. Addresses of a name are tried one after the other, in order,
// never two at once. A lost part of a stream is sent again by the clock alone; there
// is no congestion control, and nothing but Bandwidth slows a sender down.
package wheeltest
