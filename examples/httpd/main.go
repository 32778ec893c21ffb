// Httpd is the synopsis of POE::Component::Server::SimpleHTTP: each request is an
// event of a session, which has the routes in its table and answers when it likes.
//
//	go run ./examples/httpd -addr 127.0.0.1:11111
//	curl -i http://127.0.0.1:11111/
//	curl -N http://127.0.0.1:11111/stream/
//
// Interrupted, it lets running answers come to their end; interrupted again, it is
// gone at once.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// What the session of pages is told beside requests.
const (
	GotHandlers kernel.Event[[]httpd.Route] = "got_handlers"
	Tick        kernel.Event[step]          = "tick"
)

// step is the next piece of a stream.
type step struct {
	to *httpd.Response
	n  int
}

func main() {
	addr := flag.String("addr", "127.0.0.1:11111", "where to listen")
	flag.Parse()

	k := kernel.New(kernel.Config{})
	server, err := httpd.New(k, httpd.Config{
		Alias:     "HTTPD",
		Listen:    []string{"tcp://" + *addr},
		KeepAlive: true,
		Headers:   http.Header{"Server": {"Usher"}},
		Handlers: []httpd.Route{
			{Dir: "^/bar/", Session: "HTTP_GET", Event: "GOT_BAR"},
			{Dir: "^/$", Session: "HTTP_GET", Event: "GOT_MAIN"},
			{Dir: "^/foo/", Session: "HTTP_GET", Event: "GOT_NULL"},
			{Dir: ".*", Session: "HTTP_GET", Event: "GOT_ERROR"},
		},
		LogHandler:  httpd.Target{Session: "HTTP_GET", Event: "GOT_LOG"},
		Log2Handler: httpd.Target{Session: "HTTP_GET", Event: "POSTLOG"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = k.Spawn(session.New(
		session.Handle("_start", start),
		session.On(GotHandlers, gotHandlers),
		session.Handle("interrupted", interrupted),
		httpd.On("GOT_BAR", gotPage),
		httpd.On("GOT_MAIN", gotPage),
		httpd.On("GOT_NULL", gotNull),
		httpd.On("GOT_ERROR", gotError),
		httpd.On("GOT_STREAM", gotStream),
		session.On(Tick, tick),
		session.Handle("GOT_LOG", gotLog),
		httpd.On("POSTLOG", postLog),
	), kernel.Alias("HTTP_GET"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", server.Addrs()[0])
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func start(c *kernel.Context) error {
	c.Sig("INT", "interrupted")
	return httpd.GetHandlers.Post(c, "HTTPD", httpd.Target{Session: c.Self(), Event: GotHandlers.Name()})
}

// gotHandlers puts another route before the others; requests under way keep theirs.
func gotHandlers(c *kernel.Context, list []httpd.Route) error {
	stream := httpd.Route{Dir: "^/stream/", Session: "HTTP_GET", Event: "GOT_STREAM"}
	return httpd.SetHandlers.Post(c, "HTTPD", append([]httpd.Route{stream}, list...))
}

func gotPage(_ *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
	resp.Header.Set("Content-Type", "text/html")
	resp.WriteString("<h1>Some funky HTML here</h1>\n")
	resp.Done()
	return nil
}

// gotNull has the connection closed without an answer.
func gotNull(_ *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
	resp.Close()
	return nil
}

func gotError(_ *kernel.Context, req *httpd.Request, resp *httpd.Response) error {
	resp.Code = http.StatusNotFound
	fmt.Fprintf(resp, "Hi visitor from %s, Page not found -> '%s'\n", resp.Connection.RemoteIP, req.URL.Path)
	resp.Done()
	return nil
}

// gotStream sends a line now and then. It could wait for each to have left, if there
// were more of them: see Response.Stream.
func gotStream(c *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
	resp.Stream("", "", true)
	return Tick.Yield(c, step{resp, 1})
}

func tick(c *kernel.Context, s step) error {
	fmt.Fprintf(s.to, "tick %d\n", s.n)
	switch {
	case s.to.Connection.Dead(): // nobody waits for the rest
		s.to.Close()
	case s.n == 5:
		s.to.Done()
	default:
		s.to.Send()
		Tick.DelayAdd(c, 200*time.Millisecond, step{s.to, s.n + 1})
	}
	return nil
}

// gotLog is told of each request before it is handled, postLog of each answer when it
// was sent. What was no request at all has a nil one.
func gotLog(c *kernel.Context) error {
	if req, _ := c.Arg(0).(*httpd.Request); req != nil {
		fmt.Println(c.Arg(1), "asks for", req.Method, req.URL)
	} else {
		fmt.Println(c.Arg(1), "makes a bad request")
	}
	return nil
}

func postLog(_ *kernel.Context, req *httpd.Request, resp *httpd.Response) error {
	fmt.Println(resp.Connection.RemoteIP, "got", resp.Code, resp.Sent(), "bytes of", req.URL.Path)
	return nil
}

// interrupted ends the server in order; a second signal finds nobody who handles it.
func interrupted(c *kernel.Context) error {
	c.Sig("INT", "")
	c.SigHandled()
	return httpd.Shutdown.Post(c, "HTTPD", true)
}
