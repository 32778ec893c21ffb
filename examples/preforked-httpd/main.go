// Preforked-httpd serves an http.Handler from several worker processes. What stands
// before httpd.New runs in all of them, what follows in their master only.
//
//	go run ./examples/preforked-httpd -addr 127.0.0.1:8080
//	curl http://127.0.0.1:8080/
//
// Send the master HUP and a new program takes over without a lost request.
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
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()

	k := kernel.New(kernel.Config{})
	server, err := httpd.New(k, httpd.Config{
		Listen:    []string{"tcp://" + *addr},
		KeepAlive: true,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello from worker %d\n", os.Getpid())
		}),
		Prefork: &prefork.Config{StartServers: 2, MinSpareServers: 1},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", server.Addrs()[0])
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
