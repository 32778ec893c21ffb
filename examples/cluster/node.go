package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// client is the name of the node that has the customers, and no carts.
const client = "client"

// join makes a kernel a node. The times are shorter than the defaults, so that there is
// something to see: a loss is noticed after one and a half seconds of silence.
func join(k *kernel.Kernel, name string, directory cluster.Static, kinds ...cluster.Kind) (*cluster.Node, error) {
	return cluster.Join(k, cluster.Config{
		Name: name, Directory: directory, Kinds: kinds,
		Heartbeat: 250 * time.Millisecond, LostAfter: 1500 * time.Millisecond, CallTimeout: 10 * time.Second,
	})
}

// program is what the processes of the nodes run; its arguments are the node's name and
// the directory, as name=address.
var program = wheel.Program("node", func(args []string) error {
	directory := cluster.Static{}
	for _, a := range args[1:] {
		name, address, _ := strings.Cut(a, "=")
		directory[name] = address
	}
	k := kernel.New(kernel.Config{})
	name := args[0]
	node, err := join(k, name, directory, cluster.Kind{
		Name: "cart",
		New:  func(key cluster.Key) kernel.Receiver { return newCart(name, key) },
	})
	if err != nil {
		return err
	}
	if _, err := k.Spawn(newGuard(node), kernel.Alias("guard")); err != nil {
		return err
	}
	return k.Run(context.Background())
})

func arguments(name string, directory cluster.Static) []string {
	args := []string{name}
	for name, address := range directory {
		args = append(args, fmt.Sprintf("%s=%s", name, address))
	}
	return args
}

// newGuard is the session that ends a node's process when the client has left, or is
// lost. The node leaves the cluster by itself when its kernel stops.
func newGuard(node *cluster.Node) kernel.Receiver {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error { return node.Watch(c, Changed.Name()) }),
		session.On(Changed, func(c *kernel.Context, ch cluster.Change) error {
			if ch.Node == client && (ch.State == cluster.Lost || ch.State == cluster.Left) {
				c.Kernel().Stop()
			}
			return nil
		}),
	)
}
