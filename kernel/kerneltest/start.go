package kerneltest

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// endsWithin is how long Run may take to return once the kernel is stopped.
const endsWithin = 30 * time.Second

// Start runs a kernel on a goroutine of its own, held until the test ends or stop
// is called: for tests that drive it from outside, over real sockets or with real
// processes. stop ends the kernel and waits until Run has returned. The test fails
// if Run returns an error, or does not return within 30 s, with all stacks.
func Start(t testing.TB, k *kernel.Kernel) (stop func()) {
	t.Helper()
	release := k.Hold("test")
	end := make(chan error, 1)
	go func() { end <- k.Run(context.Background()) }()
	stop = sync.OnceFunc(func() {
		t.Helper()
		k.Stop()
		release()
		select {
		case err := <-end:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(endsWithin):
			buf := make([]byte, 1<<20)
			t.Fatalf("Run did not return within %v\n%s", endsWithin, buf[:runtime.Stack(buf, true)])
		}
	})
	t.Cleanup(stop)
	return stop
}
