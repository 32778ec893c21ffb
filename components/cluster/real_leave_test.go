package cluster_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
)

// The last words of a node that leaves arrive, over the transport that Join makes by
// itself, and so long before it would count as lost.
func TestReal_LastWords(t *testing.T) {
	for range 10 {
		lastWords(t)
	}
}

func lastWords(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	list := cluster.Static{}
	var closing []net.Listener
	for _, name := range []string{"a", "b"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		list[name] = ln.Addr().String()
		closing = append(closing, ln)
	}
	for _, ln := range closing { // only now, or both would be the same perhaps
		ln.Close()
	}
	join := func(name string) (*kernel.Kernel, *cluster.Node) {
		k := kernel.New(kernel.Config{})
		n, err := cluster.Join(k, cluster.Config{Name: name, Directory: list, LostAfter: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return k, n
	}
	ak, a := join("a")
	bk, b := join("b")
	states := make(chan cluster.State, 10)
	_, err := ak.Spawn(simReceiver(func(c *kernel.Context) error {
		switch c.Event() {
		case "_start":
			return a.Watch(c, "changed")
		case "changed":
			states <- c.Arg(0).(cluster.Change).State
		}
		return nil
	}), kernel.Alias("watcher"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, k := range []*kernel.Kernel{ak, bk} {
		go func() { ended <- k.Run(ctx) }()
		defer func() {
			k.Stop()
			if err := <-ended; err != nil && !errors.Is(err, kernel.ErrStopped) {
				t.Error(err)
			}
		}()
	}
	leaving := false
	for { // the watch may begin before the nodes have met or after it
		select {
		case s := <-states:
			switch {
			case s == cluster.Left && leaving:
				return
			case s == cluster.Up && !leaving:
				leaving = true
				if err := b.Leave(ctx); err != nil {
					t.Fatal(err)
				}
			case s != cluster.Connecting || leaving:
				t.Fatalf("node b is %v", s)
			}
		case <-ctx.Done():
			t.Fatal("a does not hear of b")
		}
	}
}
