package httpclient_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

// Any program that has an http.Client switches by one line.
func ExampleNewTransport() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello from %s", r.URL.Path)
	}))
	defer server.Close()

	k := kernel.New(kernel.Config{})
	pool, err := keepalive.New(k, keepalive.Config{MaxPerHost: 2})
	if err != nil {
		log.Fatal(err)
	}
	release := k.Hold("client") // the pool alone does not keep the kernel running
	ended := make(chan error)
	go func() { ended <- k.Run(context.Background()) }()

	client := &http.Client{Transport: httpclient.NewTransport(pool)}

	for _, path := range []string{"/one", "/two"} {
		resp, err := client.Get(server.URL + path)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = resp.Body.Close()
		fmt.Printf("%s: %s\n", resp.Status, body)
	}
	stats, err := pool.Stats()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("idle connections:", stats.Idle)

	pool.Shutdown()
	release()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// 200 OK: hello from /one
	// 200 OK: hello from /two
	// idle connections: 1
}
