// Tour shows the whole house at work: a keep-alive client drives a preforking
// server, whose worker processes each hold a persistent connection to a backend
// server. Half-way one worker is killed with SIGKILL; its requests are repeated,
// and another takes its place.
//
//	client ──keep-alive pool──▶ worker 1 ──persistent connection──▶ backend
//	 (lanes)                    worker 2 ──────────────────────────▶ (prices)
//	                            …
//
// All of it is sessions that post events. The master, the backend and the client
// live in one process and one kernel; each worker is a process with a kernel of
// its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// poolName is the preforking server's, and its master's alias.
const poolName = "tour"

// backendVariable tells the workers where the backend listens.
const backendVariable = "TOUR_BACKEND"

type options struct {
	requests, workers, concurrency int
	json                           bool
}

func main() {
	var o options
	flag.IntVar(&o.requests, "requests", 180000, "how many requests to send")
	flag.IntVar(&o.workers, "workers", 4, "how many worker processes to keep, at least 2")
	flag.IntVar(&o.concurrency, "concurrency", 16, "how many requests may be under way at a time")
	flag.BoolVar(&o.json, "json", false, "print the figures as one JSON object on the last line")
	flag.Parse()
	if err := o.check(); err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(2)
	}
	r, err := tour(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
	r.print(os.Stdout, o.json)
	if r.Answered != r.Requests {
		os.Exit(1)
	}
}

func (o options) check() error {
	switch {
	case o.requests < 1:
		return fmt.Errorf("-requests is %d; want 1 or more", o.requests)
	case o.workers < 2 || o.workers > 64:
		return fmt.Errorf("-workers is %d; want 2 to 64, so that one can be killed", o.workers)
	case o.concurrency < 1 || o.concurrency > 1000:
		return fmt.Errorf("-concurrency is %d; want 1 to 1000", o.concurrency)
	}
	return nil
}

// tour runs the whole thing. In a worker it does not return: prefork.New runs the
// worker's kernel instead.
func tour(o options) (*result, error) {
	k := kernel.New(kernel.Config{})
	prices := &prices{}
	var server *backend.Server
	if !prefork.IsChild() {
		var err error
		if server, err = startBackend(k, prices); err != nil {
			return nil, err
		}
		os.Setenv(backendVariable, server.Addr().String())
	}
	// Just room for every lane: when a worker is killed, its lanes wait for the
	// one that takes its place.
	perWorker := (o.concurrency + o.workers - 1) / o.workers
	pool, err := prefork.New(k, prefork.Config{
		Name:            poolName,
		Listen:          []string{"tcp://127.0.0.1:0"},
		StartServers:    o.workers,
		MinSpareServers: o.workers, // always as many as there may be
		MaxSpareServers: prefork.Unlimited,
		MaxClients:      o.workers,
		MaxRequests:     prefork.Unlimited,
		ConnsPerServer:  perWorker,
		Server:          serve,
	})
	if err != nil {
		return nil, err
	}
	clients, err := keepalive.New(k, keepalive.Config{MaxPerHost: o.concurrency, KeepAlive: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	d := newDriver(o, pool, clients, server)
	d.addr = pool.Addrs()[0].(*net.TCPAddr)
	if _, err := k.Spawn(session.New(d.states()...), kernel.Alias("driver")); err != nil {
		return nil, err
	}
	if err := k.Run(context.Background()); err != nil {
		return nil, err
	}
	d.result.BackendCalls = prices.asked
	return &d.result, nil
}
