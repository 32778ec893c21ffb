package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"
)

var helloRequest = []byte("GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n")

// askHello sends a request and wants the answer, on a connection that is kept.
func (c *client) askHello() error {
	if _, err := c.conn.Write(helloRequest); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || string(body) != helloBody || answer.Close {
		return fmt.Errorf("%w: the answer to a request was %s, %q, connection kept: %v", errSample, answer.Status, body, !answer.Close)
	}
	return nil
}

// greet waits for a server that says where it listens before it does, and wants
// the right answer of it.
func greet(addr string) error {
	for limit := time.Now().Add(10 * time.Second); ; {
		cs, err := connect(addr, 1, (*client).askHello)
		hangUpAll(cs)
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(limit) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func idleHTTPLoad(s *server) (Runner, func(), error) {
	if err := greet(s.addr); err != nil {
		return nil, nil, err
	}
	return idle(s, (*client).askHello)
}
