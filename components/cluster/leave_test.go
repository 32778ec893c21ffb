package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// A node that leaves answers the calls that run there, but waits for none for long.
func TestLeaveAnswersCallsThatRun(t *testing.T) {
	for name, x := range map[string]struct {
		takes, leaves time.Duration
		err           error
	}{
		"soon":  {time.Second, 1100 * time.Millisecond, nil},
		"never": {time.Minute, drainLimit + 100*time.Millisecond, ErrUnknownOutcome},
	} {
		for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
			t.Run(name+"/"+m.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					net := new(pipes)
					a, b := start(t, net, kernel.Parallel, "a"), start(t, net, m, "b")
					a.go_()
					b.go_()
					l, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
						if c.Event() == "get" {
							time.Sleep(x.takes)
							c.Return(7)
						}
						return nil
					}), kernel.Alias("store"))
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
					type answer struct {
						v   any
						err error
					}
					got := make(chan answer, 1)
					go func() {
						v, err := a.k.Call(context.Background(), "store@b", "get")
						got <- answer{v, err}
					}()
					time.Sleep(10 * time.Millisecond)
					began := time.Now()
					if err := b.Leave(t.Context()); err != nil {
						t.Error(err)
					}
					if took := time.Since(began); took > x.leaves {
						t.Errorf("Leave took %v", took)
					}
					if g := <-got; !errors.Is(g.err, x.err) || x.err == nil && g.v != 7 {
						t.Errorf("the caller hears %v, %v", g.v, g.err)
					}
					l.Release()
					time.Sleep(x.takes)
					a.stop(t)
					b.stop(t)
				})
			})
		}
	}
}
