package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

func init() {
	for row, n := range gettersIn {
		httpClients.ask(goPlain, map[string]Load{row: func(s *server) (Runner, func(), error) {
			t := &http.Transport{MaxIdleConnsPerHost: n}
			run, err := gets(t, s, n)
			return run, t.CloseIdleConnections, err
		}})
	}
}

// hello is what the server answers.
const hello = "hello, world"

// helloServer is the one that all clients ask.
var helloServer = &Server{Serve: func(at func(fmt.Stringer)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	at(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, hello) }))
}}

// gets has n goroutines ask by http.Client. The connections are there when it
// returns.
func gets(t http.RoundTripper, s *server, n int) (Runner, error) {
	client := &http.Client{Transport: t}
	url := "http://" + s.addr + "/"
	run := func(ops int) (sample Sample, err error) {
		var begun atomic.Int64
		sample = measureCPU(ops, func() {
			err = together(n, func(int) error {
				for begun.Add(1) <= int64(ops) {
					if err := get(client, url); err != nil {
						return err
					}
				}
				return nil
			})
		})
		return sample, err
	}
	_, err := run(10 * n)
	return run, err
}

func get(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != int64(len(hello)) {
		return fmt.Errorf("%w: %d bytes came, %w; want %q", errSample, n, err, hello)
	}
	return nil
}

// measureCPU is measure with the processor time of this process.
func measureCPU(ops int, f func()) Sample {
	before := processCPU(os.Getpid())
	s := measure(ops, f)
	s.CPU = processCPU(os.Getpid()) - before
	return s
}
