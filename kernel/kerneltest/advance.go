package kerneltest

import (
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Epoch is when a simulated kernel's time begins: Now of a kernel that has just
// been made, always the same.
var Epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Advance moves a simulated kernel's clock on by d, and runs everything that
// comes due on the way, in order, with all that follows from it; what is due
// already comes first, and what is due at the very end is run. When it returns,
// Now is exactly d later. It is for tests that look between two points in time,
// where Run would run to the end; IDLE is Run's only, so that sessions which live
// by an alias alone stay. An Advance of 0 runs what is due now.
//
// A negative d fails t; a kernel that is not simulated panics.
func Advance(t testing.TB, k *kernel.Kernel, d time.Duration) {
	t.Helper()
	if d < 0 {
		t.Fatalf("kerneltest: Advance by %v; want 0 or more: time does not go back", d)
	}
	end := k.Now().Add(d)
	for more := true; more; more = k.Advance(end) {
		for k.Step() {
		}
	}
}
