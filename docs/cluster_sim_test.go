package docs

import (
	"context"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestClusterSimulated is a test of a service with three nodes, as cluster.md shows it.
func TestClusterSimulated(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		a := w.Node("a", kerneltest.AllowDropped(), kerneltest.AllowReported())
		b := w.Node("b", kerneltest.AllowDropped(), kerneltest.AllowReported())
		c := w.Node("c", kerneltest.AllowDropped(), kerneltest.AllowReported())
		nodes := cluster.Static{"a": a.Address(), "b": b.Address(), "c": c.Address()}
		for _, m := range []*clustertest.Machine{a, b, c} {
			joinGreeter(t, m, nodes)
		}
		w.At(5*time.Second, func() { w.Cut("a", "b") })
		w.At(9*time.Second, func() { w.Heal("a", "b") })
		w.At(12*time.Second, func() { c.Pause() }) // as SIGSTOP does
		w.At(20*time.Second, func() { c.Resume() })
		w.At(25*time.Second, func() {
			b.Restart() // as kill -9 does, and a new process
			joinGreeter(t, b, nodes)
		})
		w.At(34*time.Second, func() {
			for user := range 10 {
				cluster.Place("user", user, a.Kernel()) // begin
			}
		})
		w.Run(35 * time.Second) // of virtual time, in milliseconds of real one
		for _, m := range []*clustertest.Machine{a, b, c} {
			for user := range 10 {
				_, err := m.Kernel().Call(context.Background(), cluster.Place("user", user), "greet")
				if err != nil {
					t.Errorf("user %d does not answer %s, 10 s after the last fault: %v", user, m.Name(), err)
				}
			}
		}
	})
}

func joinGreeter(t *testing.T, m *clustertest.Machine, nodes cluster.Static) {
	greeter := func(key cluster.Key) kernel.Receiver {
		return session.New(session.Handle("greet", func(c *kernel.Context) error {
			c.Return("hello, " + key.Key)
			return nil
		}))
	}
	_, err := cluster.Join(m.Kernel(), cluster.Config{
		Name: m.Name(), Directory: nodes, Transport: m.Transport(),
		Kinds: []cluster.Kind{{Name: "user", New: greeter}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
