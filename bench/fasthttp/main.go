// Fasthttp is the server of bench's group "hello" on github.com/valyala/fasthttp. It
// is a module of its own, so that nobody who uses Usher has to carry that one.
//
// It prints where it listens, tidies its memory up for each line of standard input,
// and ends when that does. With -workers it does the work in so many processes, by
// fasthttp's own package prefork, which gives each of them one processor.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/prefork"
)

func main() {
	workers := flag.Int("workers", 0, "processes that do the work; 0: this one")
	flag.Parse()
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
	if prefork.IsChild() {
		go leaveWithMaster()
		log.Fatal(prefork.New(s).ListenAndServe(""))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	serve := s.Serve
	if *workers > 0 { // it opens the address itself, and has a worker for each of GOMAXPROCS
		ln.Close()
		runtime.GOMAXPROCS(*workers)
		serve = func(ln net.Listener) error { return prefork.New(s).ListenAndServe(ln.Addr().String()) }
	}
	go func() { log.Fatal(serve(ln)) }()
	fmt.Println(ln.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		debug.FreeOSMemory()
		fmt.Println("settled")
	}
}

// leaveWithMaster ends a worker whose master is gone.
func leaveWithMaster() {
	for master := os.Getppid(); os.Getppid() == master; {
		time.Sleep(100 * time.Millisecond)
	}
	os.Exit(0)
}
