// Cluster is a shop whose carts live on three nodes, each a process of its own: one
// session for each customer's cart, on whichever node owns it. Twelve customers, in
// this process, fill their carts without a pause, while one node is killed with SIGKILL
// and another is started in its place. What happens is printed as it happens.
//
//	customers ──add──▶ cart/ann@owner   on node-1, node-2 or node-3
//	  disk    ◀─write─────┘             with a fencing token
//
//	go run ./examples/cluster
//	go run ./examples/cluster -duration 1m -http 127.0.0.1:8080
//
// A cart's memory is lost with its node; what it has promised stands on the disk, which
// outlives all of them: the next owner reads it and goes on. Exit status 0 says that
// every cart has each item that was promised, once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

func main() {
	wheel.RunPrograms() // in the processes of the nodes it does not return
	duration := flag.Duration("duration", 10*time.Second, "how long customers shop, at least 5s")
	page := flag.String("http", "", "where to show the status page, such as 127.0.0.1:8080")
	flag.Parse()
	if *duration < 5*time.Second {
		fmt.Fprintf(os.Stderr, "cluster: -duration is %v; want 5s or more\n", *duration)
		os.Exit(2)
	}
	if err := run(*duration, *page); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(duration time.Duration, page string) error {
	directory, err := freeAddresses(client, "node-1", "node-2", "node-3")
	if err != nil {
		return err
	}
	k := kernel.New(kernel.Config{})
	node, err := join(k, client, directory)
	if err != nil {
		return err
	}
	m := newManager(node, directory, duration)
	if _, err := k.Spawn(newDisk(), kernel.Alias(disk)); err != nil {
		return err
	}
	if _, err := k.Spawn(m.session(), kernel.Alias(shop)); err != nil {
		return err
	}
	if page != "" {
		l, err := net.Listen("tcp", page)
		if err != nil {
			return err
		}
		defer l.Close()
		go func() { _ = http.Serve(l, cluster.StatusHandler(node, cluster.StatusConfig{})) }()
		m.say("the status page is http://%v/?refresh=2", l.Addr())
	}
	if err := k.Run(context.Background()); err != nil {
		return err
	}
	fmt.Println(m.summary())
	return errors.Join(m.troubles...)
}

// freeAddresses makes a directory of addresses of this machine that nobody listens on.
// A cluster on several machines would have theirs here, and TLS.
func freeAddresses(names ...string) (cluster.Static, error) {
	directory := cluster.Static{}
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are open at once, so that all differ
		directory[name] = l.Addr().String()
	}
	return directory, nil
}
