package main

import (
	"fmt"
	"net"
	"time"
)

// datagrams is how many of them a socket answers.
var datagrams = &Group{
	Name:  "datagrams",
	About: "a server of datagrams, loaded from another process",
	Peers: []string{usher, usherSerial, goPlain, perl},
	Needs: map[string]func() error{perl: needPerl},
	Shows: "servers by what another process sees; CPU is the server's",
	Rows: []*Row{
		// A client has 32 datagrams of 64 bytes under way, each of which the server
		// sends back to where it came from.
		{
			Name: "udp-echo", About: "a datagram of 64 bytes and its answer, 32 under way",
			Unit: "datagram", OneRun: true, Load: datagramLoad, Figures: []Figure{Rate, CPU},
		},
	},
}

const (
	datagramWindow = 32
	datagramLimit  = 10 * time.Second // to wait for one: a window fits in every buffer, so none is lost
)

func datagramLoad(s *server) (Runner, func(), error) {
	conn, err := net.Dial("udp", s.addr)
	if err != nil {
		return nil, nil, err
	}
	run := func(ops int) (Sample, error) {
		return s.measure(ops, func() error { return exchange(conn, ops) })
	}
	return run, func() { _ = conn.Close() }, nil
}

// exchange sends ops datagrams and gets as many.
func exchange(conn net.Conn, ops int) error {
	var answer [2 * 64]byte
	sent := 0
	for got := range ops {
		for sent < min(ops, got+datagramWindow) {
			if _, err := conn.Write(echoLine); err != nil {
				return err
			}
			sent++
		}
		if got%datagramWindow == 0 {
			if err := conn.SetReadDeadline(time.Now().Add(datagramLimit)); err != nil {
				return err
			}
		}
		n, err := conn.Read(answer[:])
		if err != nil {
			return fmt.Errorf("after %d answers to %d datagrams: %w", got, sent, err)
		}
		if string(answer[:n]) != string(echoLine) {
			return fmt.Errorf("%w: the answer to %q was %q", errSample, echoLine, answer[:n])
		}
	}
	return nil
}
