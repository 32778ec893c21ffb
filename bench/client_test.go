package main

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serveHere runs a server in this process, until the test is over and its process
// with it.
func serveHere(t *testing.T, handle func(conn net.Conn)) (addr string) {
	t.Helper()
	at := make(chan string, 1)
	go func() { _ = goServer(handle)(func(a fmt.Stringer) { at <- a.String() }) }()
	return <-at
}

func TestWrongAnswersAreErrors(t *testing.T) {
	for name, handle := range map[string]func(conn net.Conn){
		"another line": func(conn net.Conn) { _, _ = conn.Write([]byte(strings.Repeat("y", 63) + "\n")) },
		"half a line":  func(conn net.Conn) { _, _ = conn.Write(echoLine[:30]) },
		"nothing":      func(net.Conn) {},
	} {
		if _, err := connect(serveHere(t, handle), 2, (*client).ask); err == nil {
			t.Errorf("%s was taken for an answer", name)
		}
	}
	if err := exchange(answering{"other"}, 1); !errors.Is(err, errSample) {
		t.Errorf("another datagram: %v; want errSample", err)
	}
	if err := upload(answering{"\x00\x00\x00\x00\x00\x00\x00\x01"}, 2); !errors.Is(err, errSample) {
		t.Errorf("one chunk of two: %v; want errSample", err)
	}
}

// answering is a connection on which the same comes whatever is sent.
type answering struct{ text string }

func (a answering) Read(p []byte) (int, error)     { return copy(p, a.text), nil }
func (answering) Write(p []byte) (int, error)      { return len(p), nil }
func (answering) Close() error                     { return nil }
func (answering) LocalAddr() net.Addr              { return nil }
func (answering) RemoteAddr() net.Addr             { return nil }
func (answering) SetDeadline(time.Time) error      { return nil }
func (answering) SetReadDeadline(time.Time) error  { return nil }
func (answering) SetWriteDeadline(time.Time) error { return nil }

// Memory is weighed with as many connections as a server can stand.
func TestServersMayTakeFewerConnections(t *testing.T) {
	peer := connections.row("idle-connection").Serve[goPlain]
	peer.MostConns = 7
	run, stop, err := loaded(idleLoad, peer, "go/idle-connection", "")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if s, err := run(30); err != nil || s.Ops != 7 || s.Kept == 0 {
		t.Errorf("%+v, %v; want 7 connections, and their memory", s, err)
	}
}

// A server that ends while it is weighed is an error, and no more than that.
func TestLostServerWhileWeighing(t *testing.T) {
	run, stop, err := loaded(idleLoad, Server{Program: func() *exec.Cmd {
		return exec.Command("/bin/sh", "-c", "echo 127.0.0.1:1; cat >/dev/null")
	}}, "a/b", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(3); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v; want that nobody is there", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTogetherWaitsForAllAndTellsOfAll(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	done := make([]bool, 3)
	err := together(3, func(i int) error {
		done[i] = true
		return []error{one, nil, two}[i]
	})
	if !errors.Is(err, one) || !errors.Is(err, two) || !done[0] || !done[1] || !done[2] {
		t.Errorf("%v, done %v; want both errors and all done", err, done)
	}
}
