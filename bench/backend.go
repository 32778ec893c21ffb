package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Peers of questions and answers.
const (
	usherPing = "usher-ping" // backend.Config.PingTimeout 0, its default: a ping before each request
	grpcPeer  = "grpc"       // google.golang.org/grpc, as it comes
)

// backends is what a question to another process and its answer cost, on connections
// that stay. Both ends are the peer's, in a process each. All of them send 64 bytes,
// and get the same back.
var backends = &Group{
	Name:  "backend",
	About: "questions to another process and their answers, on connections that stay",
	Peers: []string{usher, usherEvents, usherPing, grpcPeer, perl},
	Needs: map[string]func() error{perl: needPerl},
	Shows: "questions and answers between two processes; CPU is that of both",
	Rows: []*Row{
		// One connection, one question after the other.
		backendRow("backend-1", "one connection, one request after the other"),
		// A question on each of 64 connections, and the next when it is answered.
		backendRow("backend-64", "64 connections, a request under way on each"),
		// The same on one connection.
		backendRow("backend-1x64", "one connection, 64 requests under way on it"),
	},
}

// backendRow is ahead of gRPC.
func backendRow(name, about string) *Row {
	return &Row{
		Name: name, About: about,
		Unit: "request", OneRun: true, Figures: requestFigures,
		Budgets: []Budget{
			{Peer: usher, Limit: 1, Against: grpcPeer},
			{Peer: usher, Figure: P99, Limit: 1, Against: grpcPeer, Stretch: true},
			{Peer: usherEvents, Limit: 1, Against: grpcPeer, Stretch: true},
		},
	}
}

// backendSize says how many connections a row has, and how many requests are under
// way on each.
var backendSize = map[string]struct{ conns, each int }{
	"backend-1":    {1, 1},
	"backend-64":   {64, 1},
	"backend-1x64": {1, 64},
}

// backendPayload is what a request carries, and its answer.
var backendPayload = echoLine

// checkPayload is for answers.
func checkPayload(got []byte) error {
	if string(got) != string(backendPayload) {
		return fmt.Errorf("%w: the answer was %q; want %q", errSample, got, backendPayload)
	}
	return nil
}

// askers has so many goroutines ask, each the next when it has its answer.
func askers(s *server, n int, ask func(i int) error) Runner {
	return asking(s, n, func(i int, loop func(ask func() error) error) error {
		return loop(func() error { return ask(i) })
	})
}

// asking is askers for those who ask from somewhere else: there run has the loop run,
// with the way to ask.
func asking(s *server, n int, run func(i int, loop func(ask func() error) error) error) Runner {
	return func(ops int) (Sample, error) {
		waits := make([][]time.Duration, n)
		var begun atomic.Int64
		sample, err := measureBoth(s, ops, func() error {
			return together(n, func(i int) error {
				return run(i, func(ask func() error) error {
					last := time.Now()
					for begun.Add(1) <= int64(ops) {
						if err := ask(); err != nil {
							return err
						}
						now := time.Now()
						waits[i] = append(waits[i], now.Sub(last))
						last = now
					}
					return nil
				})
			})
		})
		for _, w := range waits {
			sample.Waits = append(sample.Waits, w...)
		}
		return sample, err
	}
}

// measureBoth is server.measure with the processor time of this process beside it.
func measureBoth(s *server, ops int, f func() error) (Sample, error) {
	before := processCPU(os.Getpid())
	sample, err := s.measure(ops, f)
	sample.CPU += processCPU(os.Getpid()) - before
	return sample, err
}
