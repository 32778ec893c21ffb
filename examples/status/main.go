// Status is the synopsis of POE::Component::Server::SimpleHTTP::PreFork, and a page
// that shows the workers: requests are events of a session that each worker has.
//
//	go run ./examples/status -addr 127.0.0.1:8080
//	curl http://127.0.0.1:8080/foo
//	xdg-open http://127.0.0.1:8080/status
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// pages is what each worker has for itself: a database handle, say.
type pages struct{ handle string }

// forked is the fork handler: it runs in the worker, before that accepts.
func (p *pages) forked(*kernel.Context) error {
	p.handle = "prepared"
	return nil
}

func (p *pages) got(what string) func(*kernel.Context, *httpd.Request, *httpd.Response) error {
	return func(_ *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
		fmt.Fprintf(resp, "%s: a %s from %d\n", p.handle, what, os.Getpid())
		resp.Done()
		return nil
	}
}

// spawnPages makes the session that answers, in each worker.
func spawnPages(c *kernel.Context, _ *prefork.Worker) error {
	p := &pages{}
	_, err := c.Spawn(session.New(
		session.Handle("FORKED", p.forked),
		httpd.On("GOT_FOO", p.got("foo")),
		httpd.On("GOT_BAR", p.got("bar")),
	), kernel.Alias("HTTP_GET"))
	return err
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()

	other := http.NewServeMux()
	other.Handle("/status", httpd.StatusHandler(httpd.StatusConfig{}))

	k := kernel.New(kernel.Config{})
	server, err := httpd.New(k, httpd.Config{
		Alias:     "HTTPD",
		Listen:    []string{"tcp://" + *addr},
		KeepAlive: true,
		Handlers: []httpd.Route{
			{Dir: "^/bar", Session: "HTTP_GET", Event: "GOT_BAR"},
			{Dir: "^/foo", Session: "HTTP_GET", Event: "GOT_FOO"},
		},
		Handler: other, // what no route matches
		Prefork: &prefork.Config{
			MinSpareServers: 2, MaxSpareServers: 5, MaxClients: 10, StartServers: 3,
			Server:       spawnPages,
			ForkHandlers: map[kernel.Address]string{"HTTP_GET": "FORKED"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", server.Addrs()[0])
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
