package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const (
	Line   kernel.Event[string] = "line"
	Get    kernel.Event[string] = "get"
	Thanks kernel.Event[string] = "thanks"
)

// Two nodes, in one process for once: what is on the other one is posted to and called
// as what is here.
func Example() {
	addresses := cluster.Static{"node-1": freeAddress(), "node-2": freeAddress()}

	// node-2 has a session "store".
	k2 := kernel.New(kernel.Config{})
	_, err := k2.Spawn(session.New(
		session.On(Line, func(c *kernel.Context, line string) error {
			fmt.Println("node-2:", line)
			return Thanks.Post(c, c.Sender(), line) // wherever that is
		}),
		session.On(Get, func(c *kernel.Context, key string) error {
			if key != "answer" {
				return fmt.Errorf("there is no %s", key)
			}
			c.Return(42)
			return nil
		}),
	), kernel.Alias("store"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = cluster.Join(k2, cluster.Config{Name: "node-2", Directory: addresses})
	if err != nil {
		log.Fatal(err)
	}

	// node-1 uses it.
	over := make(chan struct{})
	k1 := kernel.New(kernel.Config{})
	_, err = cluster.Join(k1, cluster.Config{Name: "node-1", Directory: addresses})
	if err != nil {
		log.Fatal(err)
	}
	_, err = k1.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.Yield("go") }),
		session.Handle("go", func(c *kernel.Context) error {
			v, err := Get.Call(c, "store@node-2", "answer")
			fmt.Println("node-1:", v, err)
			_, err = Get.Call(c, "store@node-2", "question")
			fmt.Println("node-1:", err)
			_, err = Get.Call(c, "store@node-3", "answer")
			fmt.Println("node-1:", errors.Is(err, kernel.ErrNoNode))
			return Line.Post(c, "store@node-2", "hello")
		}),
		session.On(Thanks, func(c *kernel.Context, line string) error {
			fmt.Println("node-1: thanks for", line)
			close(over)
			return nil
		}),
	), kernel.Alias("user"))
	if err != nil {
		log.Fatal(err)
	}

	run(over, k1, k2)
	// Output:
	// node-1: 42 <nil>
	// node-1: on node node-2: there is no question
	// node-1: true
	// node-2: hello
	// node-1: thanks for hello
}

const Add kernel.Event[int] = "add"

// A session for each key, on the node that owns it. Here there is one node; with more of
// them only the Directory differs, and a session knows neither where it is nor who asks.
func ExamplePlace() {
	counter := func(key cluster.Key) kernel.Receiver {
		sum := 0
		return session.New(session.On(Add, func(c *kernel.Context, n int) error {
			sum += n
			c.Return(fmt.Sprint(key.Kind, " ", key.Key, " has ", sum))
			return nil
		}))
	}
	k := kernel.New(kernel.Config{})
	_, err := cluster.Join(k, cluster.Config{
		Name:      "node-1",
		Kinds:     []cluster.Kind{{Name: "cart", New: counter, Idle: time.Minute}},
		Heartbeat: 50 * time.Millisecond, // a node waits two of them before it takes keys
	})
	if err != nil {
		log.Fatal(err)
	}
	over := make(chan struct{})
	_, err = k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.Yield("go") }),
		session.Handle("go", func(c *kernel.Context) error {
			defer close(over)
			for _, who := range []string{"ann", "bob", "ann"} {
				v, err := Add.Call(c, cluster.Place("cart", who), 2)
				if err != nil {
					return err
				}
				fmt.Println(v)
			}
			return nil
		}),
	))
	if err != nil {
		log.Fatal(err)
	}
	run(over, k)
	// Output:
	// cart ann has 2
	// cart bob has 2
	// cart ann has 4
}

// Who publishes does not know who listens, nor where.
func ExampleNode_Subscribe() {
	addresses := cluster.Static{"node-1": freeAddress(), "node-2": freeAddress()}
	k1, k2 := kernel.New(kernel.Config{}), kernel.New(kernel.Config{})
	node1, err := cluster.Join(k1, cluster.Config{Name: "node-1", Directory: addresses})
	if err != nil {
		log.Fatal(err)
	}
	node2, err := cluster.Join(k2, cluster.Config{Name: "node-2", Directory: addresses})
	if err != nil {
		log.Fatal(err)
	}

	over := make(chan struct{})
	heard := false
	_, err = k2.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return node2.Subscribe(c, "prices", "got_price") }),
		session.Handle("got_price", func(c *kernel.Context) error {
			if !heard {
				fmt.Println("node-2:", c.Arg(0), c.Arg(1))
				close(over)
			}
			heard = true
			return nil
		}),
	), kernel.Alias("desk"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = k1.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.Yield("tick") }),
		session.Handle("tick", func(c *kernel.Context) error {
			c.Delay("tick", 10*time.Millisecond)
			return node1.Publish("prices", "ACME", 7) // the first ones, before node-2 is there, are for nobody
		}),
	), kernel.Alias("exchange"))
	if err != nil {
		log.Fatal(err)
	}
	run(over, k1, k2)
	// Output: node-2: ACME 7
}

// freeAddress is one that nobody listens on. A real program knows where its nodes are.
func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run runs kernels until over is closed. Their nodes leave when they stop.
func run(over <-chan struct{}, kernels ...*kernel.Kernel) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, k := range kernels {
		all.Go(func() {
			if err := k.Run(ctx); err != nil {
				log.Fatal(err)
			}
		})
	}
	select {
	case <-over:
	case <-ctx.Done():
	}
	for _, k := range kernels {
		k.Stop()
	}
	all.Wait()
}
