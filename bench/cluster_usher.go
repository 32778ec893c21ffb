package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	pairClusters(usher, func(task clusterTask, secure bool) Ends {
		load := usherCallers(task.callers, secure)
		if task.callers == 0 {
			load = usherFlooder(secure)
		}
		return Ends{Server{Serve: usherNode(secure)}, load}
	})
}

// Names of the two nodes, and of the session that everything goes to.
const (
	clusterClient = "client"
	clusterServer = "server"
	clusterEcho   = kernel.Address("echo@" + clusterServer)
)

// usherAddresses are those of the two nodes: each has to know the other's.
type usherAddresses struct{ server, client string }

func (a usherAddresses) String() string { return a.server + " " + a.client }

func (a usherAddresses) join(k *kernel.Kernel, name string, secure bool) (*cluster.Node, error) {
	cfg := cluster.Config{Name: name, Directory: cluster.Static{clusterServer: a.server, clusterClient: a.client}}
	if secure {
		cfg.TLS = clusterTLS()
	}
	return cluster.Join(k, cfg)
}

// usherNode answers calls, and counts posts.
func usherNode(secure bool) func(func(fmt.Stringer)) error {
	return func(at func(fmt.Stringer)) error {
		k := kernel.New(kernel.Config{})
		posts := uint64(0)
		_, err := k.Spawn(session.New(
			session.Handle("ask", func(c *kernel.Context) error {
				c.Return(c.Arg(0))
				return nil
			}),
			session.Handle("post", func(c *kernel.Context) error {
				if got, _ := c.Arg(0).([]byte); len(got) == len(clusterPayload) {
					posts++
				}
				return nil
			}),
			session.Handle("count", func(c *kernel.Context) error {
				n := posts
				posts = 0
				return c.Post(c.Sender(), "counted", n)
			}),
		), kernel.Alias("echo"))
		if err != nil {
			return err
		}
		a := usherAddresses{freeAddress(), freeAddress()}
		if _, err := a.join(k, clusterServer, secure); err != nil {
			return err
		}
		at(a)
		return k.Run(context.Background())
	}
}

// usherClient is the other node.
func usherClient(s *server, secure bool) (u *usherKernel, node *cluster.Node, stop func(), err error) {
	u = runKernel(kernel.Config{})
	stop = func() {
		if node != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = node.Leave(ctx) // when the last events are acknowledged
		}
		_ = u.stop()
	}
	var a usherAddresses
	a.server, a.client, _ = strings.Cut(s.addr, " ")
	if node, err = a.join(u.Kernel, clusterClient, secure); err == nil {
		_, err = u.Call(context.Background(), clusterEcho, "ask", clusterPayload) // which waits for the connection
	}
	if err != nil {
		stop()
	}
	return u, node, stop, err
}

// usherCallers has so many sessions call, each the next when it has its answer.
func usherCallers(n int, secure bool) Load {
	return func(s *server) (Runner, func(), error) {
		u, _, stop, err := usherClient(s, secure)
		if err != nil {
			return nil, nil, err
		}
		at := make([]kernel.Address, n)
		for i := range at {
			at[i] = u.spawn(session.New(session.Handle("go", func(c *kernel.Context) error {
				return c.Arg(0).(func(*kernel.Context) error)(c)
			})))
		}
		return asking(s, n, func(i int, loop func(ask func() error) error) error {
			_, err := u.Call(context.Background(), at[i], "go", func(c *kernel.Context) error {
				return loop(func() error {
					got, err := c.Call(clusterEcho, "ask", clusterPayload)
					if err != nil {
						return err
					}
					answer, _ := got.([]byte)
					return checkClusterAnswer(answer)
				})
			})
			return err
		}), stop, nil
	}
}

// usherFlooder has one session post, and wait when it is told that too much is under way.
func usherFlooder(secure bool) Load {
	return func(s *server) (Runner, func(), error) {
		u, node, stop, err := usherClient(s, secure)
		if err != nil {
			return nil, nil, err
		}
		left, done := 0, make(chan error, 1)
		handled := uint64(0)
		flood := func(c *kernel.Context) error {
			for ; left > 0; left-- {
				if err := c.Post(clusterEcho, "post", clusterPayload); err != nil {
					return err
				}
			}
			return c.Post(clusterEcho, "count")
		}
		try := func(c *kernel.Context) error {
			if err := flood(c); err != nil && !errors.Is(err, kernel.ErrQueueFull) { // else go on when there is room
				done <- err
			}
			return nil
		}
		at := u.spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error { return node.Watch(c, "node_changed") }),
			session.Handle("flood", func(c *kernel.Context) error {
				left = c.Arg(0).(int)
				return try(c)
			}),
			session.Handle("node_changed", func(c *kernel.Context) error {
				if change, _ := c.Arg(0).(cluster.Change); change.Drained {
					return try(c)
				}
				return nil
			}),
			session.Handle("counted", func(c *kernel.Context) error {
				handled, _ = c.Arg(0).(uint64)
				done <- nil
				return nil
			}),
		))
		return func(ops int) (Sample, error) {
			sample, err := measureBoth(s, ops, func() error {
				if err := u.Post(at, "flood", ops); err != nil {
					return err
				}
				return within(done)
			})
			return sample, cmp.Or(err, checkHandled(handled, ops))
		}, stop, nil
	}
}
