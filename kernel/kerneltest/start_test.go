package kerneltest_test

import (
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// TestStart: the kernel runs until stop, which waits for its sessions' ends.
func TestStart(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		k := kernel.New(kernel.Config{Mode: mode})
		stop := kerneltest.Start(t, k)
		stopped := false
		at, err := k.Spawn(handlers{
			"_start": func(c *kernel.Context) error { return c.AliasSet("stays") },
			"_stop":  func(*kernel.Context) error { stopped = true; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		stop()
		stop()
		if _, there := k.Resolve(at); there || !stopped {
			t.Errorf("%v: after stop the session is there: %v, and got _stop: %v", mode, there, stopped)
		}
	}
}
