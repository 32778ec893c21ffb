package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	route := Server{Serve: func(at func(fmt.Stringer)) error {
		return usherHTTP(at, httpd.Config{Handlers: []httpd.Route{{Dir: "^/hello$", Session: "pages", Event: "hello"}}})
	}}
	hello.serve(usherRoute, map[string]Server{"hello-http": route, "idle-http": route})
	handler := Server{Serve: func(at func(fmt.Stringer)) error {
		return usherHTTP(at, httpd.Config{Handler: http.HandlerFunc(goHello)})
	}}
	hello.serve(usherHandler, map[string]Server{"hello-http": handler, "idle-http": handler})
}

var helloPage = httpd.On("hello", func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
	a.WriteString(helloBody)
	a.Done()
	return nil
})

func usherHTTP(at func(fmt.Stringer), cfg httpd.Config) error {
	k := kernel.New(kernel.Config{})
	if _, err := k.Spawn(session.New(helloPage), kernel.Alias("pages")); err != nil {
		return err
	}
	cfg.KeepAlive, cfg.MaxConns = true, httpd.NoLimit
	s, err := httpd.New(k, cfg)
	if err != nil {
		return err
	}
	at(s.Addrs()[0])
	return k.Run(context.Background())
}
