package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// The two pools differ in who answers: a session of the worker, or an http.Handler.
const (
	byEvents  = "hello"
	byHandler = "hello-handler"
)

// A worker is this program once more, or that of the tests, and goes no further than
// here. It has one processor to itself, as those of fasthttp have.
func init() {
	workers := map[string]func(){}
	for _, name := range []string{byEvents, byHandler} {
		workers[name] = func() {
			runtime.GOMAXPROCS(1)
			_, err := newPreforked(name, runtime.NumCPU())
			fmt.Fprintln(os.Stderr, "bench: httpd.New has returned in a worker:", err)
		}
	}
	prefork.Main(workers)
	preforked := func(name string, workers int) Server {
		return Server{Serve: func(at func(fmt.Stringer)) error {
			p, err := newPreforked(name, workers)
			if err != nil {
				return err
			}
			at(p.Addrs()[0])
			return p.run()
		}}
	}
	few := preforked(byEvents, fewWorkers)
	hello.serve(usherPrefork, map[string]Server{"hello-http": preforked(byEvents, runtime.NumCPU()), "idle-worker": few, "reload": few})
	hello.serve(usherPreforkHandler, map[string]Server{"hello-http": preforked(byHandler, runtime.NumCPU())})
}

// preforkedServer is a server with workers, and its master's kernel.
type preforkedServer struct {
	*httpd.Server
	k *kernel.Kernel
}

func (p preforkedServer) run() error { return p.k.Run(context.Background()) }

// newPreforked has so many workers for good, each of which takes its part of the load's
// connections and a few more: who is awake first would take most of them. In a worker it does not return.
func newPreforked(name string, workers int) (preforkedServer, error) {
	return newGrowing(name, workers, workers, helloConns/workers+2)
}

// newGrowing begins with some workers; TTIN adds to them.
func newGrowing(name string, workers, most, conns int) (preforkedServer, error) {
	k := kernel.New(kernel.Config{})
	cfg := httpd.Config{
		KeepAlive: true, MaxConns: httpd.NoLimit,
		Prefork: &prefork.Config{
			Name: name, StartServers: workers, MinSpareServers: workers, MaxSpareServers: prefork.Unlimited, MaxClients: most,
			ConnsPerServer: conns,
			Server: func(c *kernel.Context, _ *prefork.Worker) error {
				_, err := c.Spawn(session.New(helloPage), kernel.Alias("pages"))
				return err
			},
		},
	}
	if name == byHandler {
		cfg.Handler = http.HandlerFunc(goHello)
	} else {
		cfg.Handlers = []httpd.Route{{Dir: "^/hello$", Session: "pages", Event: "hello"}}
	}
	s, err := httpd.New(k, cfg)
	return preforkedServer{s, k}, err
}
