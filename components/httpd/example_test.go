package httpd_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// shop has the handlers of SimpleHTTP's manual: a page, one that takes its time,
// one that streams, and one for everything else.
type shop struct{ left int }

func (s *shop) bar(_ *kernel.Context, req *httpd.Request, resp *httpd.Response) error {
	fmt.Fprintf(resp, "a bar for %s", req.URL.Query().Get("who"))
	resp.Done()
	return nil
}

func (s *shop) foo(c *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
	return c.Yield("cooked", resp) // it is answered later
}

func (s *shop) cooked(c *kernel.Context, resp *httpd.Response) error {
	resp.WriteString("a foo, well done")
	return httpd.Done.Post(c, "HTTPD", resp) // as POE does it
}

func (s *shop) stream(c *kernel.Context, _ *httpd.Request, resp *httpd.Response) error {
	s.left = 3
	resp.Stream(c.Self(), "more", false)
	resp.WriteString("here it comes:")
	resp.Send()
	return nil
}

func (s *shop) more(_ *kernel.Context, resp *httpd.Response) error {
	if s.left == 0 {
		resp.Done()
		return nil
	}
	fmt.Fprintf(resp, " %d", s.left)
	s.left--
	resp.Send()
	return nil
}

func (s *shop) other(_ *kernel.Context, req *httpd.Request, resp *httpd.Response) error {
	resp.Code = http.StatusNotFound
	fmt.Fprintf(resp, "no %s here", req.URL.Path)
	resp.Done()
	return nil
}

func Example() {
	k := kernel.New(kernel.Config{})
	s := &shop{}
	_, err := k.Spawn(session.New(
		httpd.On("GOT_BAR", s.bar),
		httpd.On("GOT_FOO", s.foo),
		httpd.On("GOT_STREAM", s.stream),
		httpd.On("GOT_ERROR", s.other),
		session.On("cooked", s.cooked),
		session.On("more", s.more),
	), kernel.Alias("HTTP_GET"))
	if err != nil {
		log.Fatal(err)
	}
	server, err := httpd.New(k, httpd.Config{
		Alias:  "HTTPD",
		Listen: []string{"tcp://127.0.0.1:0"},
		Handlers: []httpd.Route{
			{Dir: "^/bar/", Session: "HTTP_GET", Event: "GOT_BAR"},
			{Dir: "^/foo", Session: "HTTP_GET", Event: "GOT_FOO"},
			{Dir: "^/stream$", Session: "HTTP_GET", Event: "GOT_STREAM"},
			{Dir: ".*", Session: "HTTP_GET", Event: "GOT_ERROR"},
		},
		Headers: http.Header{"Server": {"My Own Server"}},
	})
	if err != nil {
		log.Fatal(err)
	}

	go func() {
		for _, path := range []string{"/bar/?who=you", "/foo", "/stream", "/nothing"} {
			a, err := http.Get("http://" + server.Addrs()[0].String() + path)
			if err != nil {
				log.Fatal(err)
			}
			b, _ := io.ReadAll(a.Body)
			a.Body.Close()
			fmt.Println(a.StatusCode, a.Header.Get("Server")+":", string(b))
		}
		server.Shutdown(context.Background())
	}()
	if err := k.Run(context.Background()); err != nil { // until the server has shut down
		log.Fatal(err)
	}
	// Output:
	// 200 My Own Server: a bar for you
	// 200 My Own Server: a foo, well done
	// 200 My Own Server: here it comes: 3 2 1
	// 404 My Own Server: no /nothing here
}
