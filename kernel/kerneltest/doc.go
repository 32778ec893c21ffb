// Package kerneltest makes a kernel for tests: simulated, with a seed that a
// failure prints, strict about what is otherwise only reported, and with a leak
// report at the end.
//
//	func TestGreeter(t *testing.T) {
//		kerneltest.Seeds(t, 20, func(t *testing.T, seed uint64) {
//			k := kerneltest.New(t, kerneltest.Seed(seed))
//			k.Spawn(newGreeter())
//			kerneltest.Run(t, k)
//		})
//	}
//
// # Order and time
//
// The kernel is simulated: one event at a time, in an order that the seed
// chooses among all that the kernel's promise of order (G2) permits. Time is
// virtual: it jumps to the next timer when nothing can run. The same seed gives
// the same run, as long as the test posts from one goroutine only and its
// handlers take time, chance and I/O from the kernel. A failing test prints its
// seed; with USHER_SEED set to it in the environment, New and Seeds use that one
// and no other:
//
//	USHER_SEED=17 go test -run TestGreeter ./greeter
//
// # What fails the test
//
// An event that nobody handles, an accepted event that is dropped, a failure
// (error or panic) for which nobody called SigHandled, and what a component
// reports (Kernel.Report). AllowUnhandled, AllowDropped and AllowReported lift
// the first, second and last; a failure is lifted by handling DIE.
//
// # Leaks
//
// When the test ends, every session still alive fails it, with what holds it
// (Kernel.Explain). A test that ends before its kernel has to says so by
// AllowAlive.
//
// # Goroutines
//
// The kernel belongs to the test's goroutine. Failures on other goroutines are
// noted, and reported when the test ends.
package kerneltest
