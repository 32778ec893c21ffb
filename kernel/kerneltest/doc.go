// Package kerneltest makes a kernel for tests: simulated, with a seed that a
// failure prints, strict about what is otherwise only reported, and with a leak
// report at the end.
//
//	func TestGreeter(t *testing.T) {
//		kerneltest.Seeds(t, 20, func(t *testing.T, seed uint64) {
//			k := kerneltest.New(t, kerneltest.Seed(seed))
//			k.Spawn(newGreeter(), kernel.Alias("greeter"))
//			k.Spawn(kerneltest.Script(t,
//				kerneltest.Expect("_start").Post("greeter", "greet", "world"),
//				kerneltest.Expect("greeting", "hello world"),
//			))
//			kerneltest.Run(t, k)
//		})
//	}
//
// # Order
//
// The kernel is simulated: one event at a time, in an order that the seed
// chooses among all that the kernel's promise of order (G2) permits. The same
// seed gives the same run, as long as the test posts from one goroutine only and
// its handlers take time, chance and I/O from the kernel. A failing test prints
// its seed; with USHER_SEED set to it in the environment, New and Seeds use that
// one and no other:
//
//	USHER_SEED=17 go test -run TestGreeter ./greeter
//
// Mode has the same test run in parallel or serial mode.
//
// # Time
//
// A simulated kernel's time is virtual. It begins at Epoch, stands still while
// handlers run, and never goes back. Run moves it to the next timer when nothing
// else can happen; Advance moves it by a given step, for tests that look between
// two points in time. kernel.Kernel.Now and kernel.Context.Now say what time it
// is. In the other modes time is the system's.
//
// # Scripts
//
// Script is a session that expects events in an order, with arguments, and
// answers each as its step says. What comes out of order, and what does not come,
// fails the test with what came and what was left.
//
// # What fails the test
//
// An event that nobody handles, an accepted event that is dropped, a failure
// (error or panic) for which nobody called SigHandled, and what is reported
// through Kernel.Report: by a component, or by the kernel of a Lease or Postback
// that was dropped without Release. AllowUnhandled, AllowDropped and
// AllowReported lift the first, second and last; a failure is lifted by handling
// DIE. Strict has the same for kernels that a test makes itself. Every kernel has Config.Debug on: a Context used outside its handler, or a
// wheel outside its owner's, panics.
//
// # Leaks
//
// When the test ends, after the functions given to its Cleanup, this fails it,
// with where it was made:
//
//   - a session that is alive, with what holds it: aliases, children, timers,
//     leases, postbacks, wheels, watched handles and processes. What a session has
//     ends with it. A kernel that never ran counts, too;
//   - a Hold that was not released;
//   - when no session is left: a goroutine that a handler started, or that one
//     started in turn, and that has not ended within 10 s. Goroutines which a
//     library keeps for the whole process are among them if a handler was the
//     first to need them: AllowGoroutines.
//
// A test that ends before its kernel has to says so by AllowAlive.
//
// # Goroutines
//
// A simulated kernel belongs to the test's goroutine. Failures on other goroutines
// are noted, and reported when the test ends. Tests may run in parallel; each
// kernel knows its own goroutines.
package kerneltest
