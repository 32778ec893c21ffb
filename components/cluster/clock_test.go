package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// A node that starts with its clock before that of its last start stays out, because its
// packets look like old ones. Both ends say so, once, and a start with the right clock
// heals it.
func TestStartWithTheClockSetBack(t *testing.T) {
	w := clustertest.New(t, 1)
	said := map[string][]string{}
	machine := func(name string) *clustertest.Machine {
		return w.Node(name, kerneltest.AllowReported(), kerneltest.Config(kernel.Config{Observer: &kernel.Observer{
			Reported: func(_, cause string, err error) {
				if cause != "directory" {
					said[name] = append(said[name], fmt.Sprintf("%s: %v", cause, err))
				}
			},
		}}))
	}
	a, b := machine("a"), machine("b")
	join := func(m *clustertest.Machine) *cluster.Node {
		n, err := cluster.Join(m.Kernel(), cluster.Config{
			Name: m.Name(), Transport: m.Transport(), Directory: cluster.Static{"a": a.Address(), "b": b.Address()},
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	b.Skew(2 * time.Hour)
	atA := join(a)
	join(b)
	want := func(s cluster.State) {
		t.Helper()
		if got := atA.Status().Nodes[0]; got.State != s {
			t.Errorf("after %v b is %v, want %v", w.Elapsed(), got.State, s)
		}
	}
	again := func(skew time.Duration) {
		b.Crash()
		b.Skew(skew)
		b.Restart()
		join(b)
	}
	w.At(10*time.Second, func() { want(cluster.Up); again(time.Hour) })
	w.At(30*time.Second, func() { want(cluster.Lost); again(2 * time.Hour) })
	w.At(40*time.Second, func() { want(cluster.Up) })
	w.Run(41 * time.Second)
	for name, part := range map[string]string{"a": "packet refused: a packet of node \"b\" comes from a start of ", "b": "another start: node a knows a start of node b of "} {
		if got := said[name]; len(got) != 1 || !strings.HasPrefix(got[0], part) || !strings.Contains(got[0], "clock was set back") {
			t.Errorf("%s says %q, want one with %q", name, got, part)
		}
	}
}
