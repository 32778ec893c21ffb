// Package clustertest runs clusters in virtual time: several machines in one
// goroutine, each with a simulated kernel, and a network between them that fails
// when a test says so. Package cluster is the same as in production; only its
// Transport differs.
//
//	func TestStore(t *testing.T) {
//		kerneltest.Seeds(t, 100, func(t *testing.T, seed uint64) {
//			w := clustertest.New(t, seed)
//			a, b := w.Node("a"), w.Node("b")
//			for _, m := range []*clustertest.Machine{a, b} {
//				m.Kernel().Spawn(newStore(), kernel.Alias("store"))
//				join(t, m.Kernel(), m.Name(), m.Transport())
//			}
//			w.At(3*time.Second, func() { w.Cut("a", "b") })
//			w.At(9*time.Second, func() { w.Heal("a", "b") })
//			if !w.RunUntil(agree(a, b), time.Minute) {
//				t.Error("the stores do not agree a minute after the partition began")
//			}
//		})
//	}
//
// # Machines
//
// World.Node makes a [Machine]: a kernel, and a host of the world's network, which
// wheels of the kernel use as well. It begins empty: a test spawns sessions on
// Machine.Kernel and joins with Machine.Transport. What fails a test with
// kerneltest.New does so here: events that nobody handles, dropped events, failures,
// reports; the options of kerneltest.New allow them. Sessions may be alive at the
// end of the test; IDLE is not sent, so that those which live by an alias alone stay.
//
// # Time and order
//
// World.Run and RunUntil run the world. All kernels begin at kerneltest.Epoch and go
// on together: what is due, on any machine, is done first, in an order that the seed
// chooses; then all clocks move on to the next thing that becomes due anywhere. The
// same seed gives the same run, as long as handlers take time, chance and I/O from
// their kernel and nobody works on another goroutine.
//
// # Faults
//
//	World.Cut, CutOneWay, Heal   partitions
//	World.Between                delay, jitter, loss, bandwidth
//	World.Reset                  broken connections
//	Machine.Pause, Resume        SIGSTOP and SIGCONT
//	Machine.Crash, Restart       kill -9, and a new process in its place
//	Machine.Skew, Drift          clocks that are wrong, and that run wrong
//	World.Network                all else that package wheeltest has
//
// World.At does these at given times.
//
// # Transport
//
// Packets travel over streams, one for each direction, which their sender dials when
// there is none. A dial that fails, or has no answer for 5 s, is Broken, and so is a
// connection that ends; the next packet then dials again, but not before 50 ms to 2 s
// have passed, longer after each failure, unless a packet has come from the other node:
// what is sent meanwhile is thrown away. A partition breaks no connection: whoever wants
// to know of it has to ask the other node, and Drop the address. Methods of the Carrier
// are called in the machine's own turns, outside its handlers but while one waits in a
// call. A peer proves to be the machine that it is. Whoever is none is refused, and so is
// who sends what is no packet; a packet is up to 16 MiB.
//
// # Calls
//
// A handler that calls a session on another machine waits on the stack of the test's
// goroutine. Meanwhile all else goes on, time included, but nothing of its own
// kernel: whoever calls it back waits for ever, as with a kernel in serial mode.
// Timers that become due there come when it has returned. A call that begins while
// another waits ends first.
//
// # Leaks
//
// When the test ends, this fails it: what a machine without sessions has open in the
// network, what the Transport has not closed, and goroutines that handlers have
// started.
package clustertest
