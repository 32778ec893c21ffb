package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

func init() {
	s := Server{Serve: func(at func(fmt.Stringer)) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		at(l.Addr())
		return (&http.Server{
			Handler:           http.HandlerFunc(goHello),
			ReadHeaderTimeout: 10 * time.Second, // these are httpd's
			WriteTimeout:      time.Minute,
			IdleTimeout:       75 * time.Second,
		}).Serve(l)
	}}
	hello.serve(goPlain, map[string]Server{"hello-http": s, "idle-http": s})
}

func goHello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, helloBody)
}
