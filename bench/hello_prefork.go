package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// A worker is this program once more, or that of the tests, and goes no further than
// here. It has one processor to itself, as those of fasthttp have.
func init() {
	prefork.Main(map[string]func(){"hello": func() {
		runtime.GOMAXPROCS(1)
		_, err := newPreforked(runtime.NumCPU())
		fmt.Fprintln(os.Stderr, "bench: httpd.New has returned in a worker:", err)
	}})
	preforked := func(workers int) Server {
		return Server{Serve: func(at func(fmt.Stringer)) error {
			p, err := newPreforked(workers)
			if err != nil {
				return err
			}
			at(p.Addrs()[0])
			return p.run()
		}}
	}
	few := preforked(fewWorkers)
	hello.serve(usherPrefork, map[string]Server{"hello-http": preforked(runtime.NumCPU()), "idle-worker": few, "reload": few})
}

// preforkedServer is a server with workers, and its master's kernel.
type preforkedServer struct {
	*httpd.Server
	k *kernel.Kernel
}

func (p preforkedServer) run() error { return p.k.Run(context.Background()) }

// newPreforked has so many workers for good, each of which takes its part of the load's
// connections and a few more: who is awake first would take most of them. In a worker it does not return.
func newPreforked(workers int) (preforkedServer, error) {
	return newGrowing(workers, workers, helloConns/workers+2)
}

// newGrowing begins with some workers; TTIN adds to them.
func newGrowing(workers, most, conns int) (preforkedServer, error) {
	k := kernel.New(kernel.Config{})
	s, err := httpd.New(k, httpd.Config{
		KeepAlive: true, MaxConns: httpd.NoLimit,
		Handlers: []httpd.Route{{Dir: "^/hello$", Session: "pages", Event: "hello"}},
		Prefork: &prefork.Config{
			Name: "hello", StartServers: workers, MinSpareServers: workers, MaxSpareServers: prefork.Unlimited, MaxClients: most,
			ConnsPerServer: conns,
			Server: func(c *kernel.Context, _ *prefork.Worker) error {
				_, err := c.Spawn(session.New(helloPage), kernel.Alias("pages"))
				return err
			},
		},
	})
	return preforkedServer{s, k}, err
}
