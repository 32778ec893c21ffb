package httpclient_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soakServer answers each request with its number, and does something else to one in
// a hundred. It keeps its own books.
type soakServer struct {
	net.Listener
	url      string
	came     []atomic.Int32 // how often each request did
	accepted atomic.Int64
	faults   [faultKinds]atomic.Int64
	open     sync.WaitGroup
}

// Faults.
const (
	idleClose = iota // answers, and closes a moment later
	midAnswer        // closes in the middle of its answer
	reset            // instead of an answer
	garbage          // likewise, and closes
	tooMuch          // answers, and says something that nobody asked for
	slow             // takes a while
	faultKinds
)

var faultNames = [faultKinds]string{"closed idle", "closed answering", "reset", "garbage", "too much", "slow"}

func newSoakServer(t *testing.T, requests int) *soakServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &soakServer{Listener: ln, url: "http://" + ln.Addr().String() + "/", came: make([]atomic.Int32, requests)}
	s.open.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			s.open.Go(func() {
				defer conn.Close()
				s.serve(conn.(*net.TCPConn))
			})
		}
	})
	return s
}

func (s *soakServer) serve(conn *net.TCPConn) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		id, err := strconv.Atoi(req.URL.Path[1:])
		if err != nil {
			return
		}
		s.came[id].Add(1)
		answer := soakAnswer(id)
		fault := -1
		if rand.IntN(100) == 0 {
			fault = rand.IntN(faultKinds)
			s.faults[fault].Add(1)
		}
		switch fault {
		case midAnswer:
			answer = answer[:1+rand.IntN(len(answer)-1)]
		case reset:
			_ = conn.SetLinger(0)
			return
		case garbage:
			answer = "SSH-2.0-OpenSSH_9.2\r\n\r\n"
		case tooMuch:
			answer += soakAnswer(0)
		case slow:
			<-time.After(time.Duration(rand.IntN(50)) * time.Millisecond)
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
		switch fault {
		case midAnswer, garbage:
			return
		case idleClose:
			_ = conn.SetReadDeadline(time.Now().Add(time.Duration(rand.IntN(1000)) * time.Microsecond))
		}
	}
}

// soakAnswer has a body of the request's number and some more.
func soakAnswer(id int) string {
	body := soakBody(id)
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func soakBody(id int) string { return strconv.Itoa(id) + filler[:id%len(filler)] }

var filler = strings.Repeat(".", 2000)

// requests is how many came in all, repetitions included.
func (s *soakServer) requests() (n int) {
	for i := range s.came {
		n += int(s.came[i].Load())
	}
	return n
}

// sum is how many faults there were, and of which kinds.
func (s *soakServer) sum() (n int, each string) {
	for kind := range s.faults {
		n += int(s.faults[kind].Load())
		each += fmt.Sprintf(", %d %s", s.faults[kind].Load(), faultNames[kind])
	}
	return n, strings.TrimPrefix(each, ", ")
}
