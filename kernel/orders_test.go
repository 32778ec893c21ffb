package kernel_test

import (
	"testing"

	"github.com/usher-go/usher/kernel"
)

// inOrders runs f on kernels of the given modes, on many of each where the order
// of events may differ: with other seeds, with other numbers of workers.
func inOrders(t *testing.T, modes []kernel.Mode, f func(k *fixture, m kernel.Mode)) {
	t.Helper()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			rounds := 25
			if m == kernel.Serial {
				rounds = 1
			}
			for n := range rounds {
				if f(boot(t, m, seed(uint64(n)), workers(1+n%4)), m); t.Failed() {
					t.Fatalf("seed %d, %d workers", n, 1+n%4)
				}
			}
		})
	}
}
