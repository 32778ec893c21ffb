// Fasthttp is the server of bench's group "hello" on github.com/valyala/fasthttp. It
// is a module of its own, so that nobody who uses Usher has to carry that one.
//
// It prints where it listens, tidies its memory up for each line of standard input,
// and ends when that does.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &fasthttp.Server{
		Handler: func(c *fasthttp.RequestCtx) {
			c.SetContentType("text/plain")
			c.SetBodyString("hello, world\n")
		},
		Concurrency:  100_000,
		ReadTimeout:  10 * time.Second,
		WriteTimeout: time.Minute,
		IdleTimeout:  75 * time.Second,
	}
	go func() { log.Fatal(s.Serve(ln)) }()
	fmt.Println(ln.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		debug.FreeOSMemory()
		fmt.Println("settled")
	}
}
