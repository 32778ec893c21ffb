package kernel_test

import (
	"runtime"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestK21_AWokenWheelHolds: a wheel that asks for a turn in its own turn, watching
// nothing, gets it, however many others ask for it at the same moment.
func TestK21_AWokenWheelHolds(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) {
			for range 20 {
				const turns = 500
				n := 0
				begun, over := make(chan *kernel.Source), make(chan struct{})
				k := kernel.New(kernel.Config{Mode: mode})
				_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
					var src *kernel.Source
					src = c.NewSource("test", func(*kernel.Context) {
						if n++; n < turns {
							src.Wake()
						}
					}, nil)
					go func() {
						defer close(over)
						src := <-begun
						for range 20 * turns {
							src.Wake()
							kernel.WakeAll([]*kernel.Source{src, src})
							runtime.Gosched()
						}
					}()
					src.Wake()
					begun <- src
					return nil
				})))
				if err != nil {
					t.Fatal(err)
				}
				if err := k.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n < turns {
					t.Fatalf("the session ended after %d turns of %d", n, turns)
				}
				<-over
			}
		})
	}
}
