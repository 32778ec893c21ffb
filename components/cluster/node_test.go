package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

const limit = time.Minute

type table map[string]kernel.Handler

func (t table) Receive(c *kernel.Context) error {
	if h := t[c.Event()]; h != nil {
		return h(c)
	}
	c.Unhandled()
	return nil
}

// real is a node with a kernel that runs.
type real struct {
	*Node
	k    *kernel.Kernel
	pipe *pipe
	end  chan error
}

func start(t *testing.T, net *pipes, m kernel.Mode, name string, change ...func(*Config)) *real {
	t.Helper()
	r := &real{k: kernel.New(kernel.Config{Mode: m}), pipe: net.pipe(name + ":1"), end: make(chan error, 1)}
	cfg := Config{Name: name, Transport: r.pipe, Directory: Static{"a": "a:1", "b": "b:1", "c": "c:1"}, Heartbeat: 50 * time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if r.Node, err = Join(r.k, cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *real) run(t *testing.T) {
	go func() { r.end <- r.k.Run(context.Background()) }()
	t.Cleanup(func() {
		r.k.Stop()
		if err := await(t, r.end); err != nil {
			t.Error(err)
		}
	})
}

func await[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(limit):
		t.Fatal("nothing comes")
	}
	return v
}

func TestTwoNodes(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			net := new(pipes)
			a, b := start(t, net, m, "a"), start(t, net, m, "b")
			got := make(chan string, 10)
			_, err := b.k.Spawn(table{
				"line": func(c *kernel.Context) error {
					got <- fmt.Sprint(c.Arg(0))
					return c.Post(c.Sender(), "thanks", c.Arg(0))
				},
				"get": func(c *kernel.Context) error { c.Return(c.Arg(0).(int) * 2); return nil },
				"bad": func(c *kernel.Context) error { return errors.New("it is bad") },
			}, kernel.Alias("logger"))
			if err != nil {
				t.Fatal(err)
			}
			lease, err := a.k.SpawnHeld(table{
				"go": func(c *kernel.Context) error {
					if err := c.Post("logger@b", "line", "hello"); err != nil {
						t.Error(err)
					}
					v, err := c.Call("logger@b", "get", 21)
					got <- fmt.Sprint(v, err)
					_, err = c.Call("logger@b", "bad")
					got <- fmt.Sprint(err)
					_, err = c.Call("nobody@b", "bad")
					if !errors.Is(err, kernel.ErrNoSession) {
						t.Error(err)
					}
					err = c.Post("logger@nowhere", "line")
					if !errors.Is(err, kernel.ErrNoNode) {
						t.Error(err)
					}
					err = c.Post("logger@b", "line", make(chan int))
					if !errors.Is(err, kernel.ErrNotEncodable) {
						t.Error(err)
					}
					return nil
				},
				"thanks": func(c *kernel.Context) error { got <- "thanks for " + c.Arg(0).(string); return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer lease.Release()
			a.run(t)
			b.run(t)
			if err := lease.Post("go"); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for range 4 {
				seen[await(t, got)] = true
			}
			for _, want := range []string{"hello", "42 <nil>", "on node b: it is bad", "thanks for hello"} {
				if !seen[want] {
					t.Errorf("no %q in %v", want, seen)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if err := a.Leave(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
