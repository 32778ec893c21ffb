package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// echoLine is what clients send: 64 bytes.
var echoLine = append(bytes.Repeat([]byte("x"), 63), '\n')

// client is one connection of a load.
type client struct {
	conn   *net.TCPConn
	answer [64]byte
}

// ask sends the line and waits for the same.
func (c *client) ask() error {
	if _, err := c.conn.Write(echoLine); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.conn, c.answer[:]); err != nil {
		return err
	}
	if !bytes.Equal(c.answer[:], echoLine) {
		return fmt.Errorf("%w: the answer to %q was %q", errSample, echoLine, c.answer)
	}
	return nil
}

// hangUp leaves nothing behind: an ordinary end would block the port for a minute.
func (c *client) hangUp() {
	_ = c.conn.SetLinger(0)
	_ = c.conn.Close()
}

func hangUpAll(cs []*client) {
	for _, c := range cs {
		c.hangUp()
	}
}

// Clients use more loopback addresses when the ports of one begin to run out: by
// default Linux has 28,232, and looks long for a free one when most are taken. Other
// systems have no such addresses unless somebody set them up.
const (
	clientsPerAddress = 10_000
	dialing           = 64 // at a time
)

// connect makes n clients, each of which has asked once and has had its answer.
func connect(addr string, n int, ask func(*client) error) ([]*client, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	cs := make([]*client, n)
	var next atomic.Int64
	err = together(min(n, dialing), func(int) error {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			c, err := dial(at, i, ask)
			if err != nil {
				return fmt.Errorf("client %d of %d: %w", i+1, n, err)
			}
			cs[i] = c
		}
		return nil
	})
	if err != nil {
		hangUpAll(slices.DeleteFunc(cs, func(c *client) bool { return c == nil }))
		return nil, err
	}
	return cs, nil
}

// dial makes the i-th client.
func dial(at *net.TCPAddr, i int, ask func(*client) error) (*client, error) {
	var from *net.TCPAddr // 127.0.0.1, for the first
	if number := i / clientsPerAddress; number > 0 {
		from = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+number))}
	}
	conn, err := net.DialTCP("tcp", from, at)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	if err := ask(c); err != nil {
		c.hangUp()
		return nil, err
	}
	return c, nil
}

// together runs f n times at once, with 0, 1, …, and waits for all of them.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// echoLoad has n clients send ops requests in all; whoever has its answer sends
// the next.
func echoLoad(n int) Load {
	return func(s *server) (Runner, func(), error) {
		cs, err := connect(s.addr, n, (*client).ask)
		if err != nil {
			return nil, nil, err
		}
		return func(ops int) (Sample, error) { return echo(s, cs, ops) }, func() { hangUpAll(cs) }, nil
	}
}

func echo(s *server, cs []*client, ops int) (Sample, error) {
	waits := make([][]time.Duration, len(cs))
	var begun atomic.Int64
	sample, err := s.measure(ops, func() error {
		return together(len(cs), func(i int) error {
			last := time.Now()
			for begun.Add(1) <= int64(ops) {
				if err := cs[i].ask(); err != nil {
					return err
				}
				now := time.Now()
				waits[i] = append(waits[i], now.Sub(last))
				last = now
			}
			return nil
		})
	})
	for _, w := range waits {
		sample.Waits = append(sample.Waits, w...)
	}
	return sample, err
}
