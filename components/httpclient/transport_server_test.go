package httpclient_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// script is a server that does as it is told with each connection.
type script struct {
	url   string
	ln    net.Listener
	conns atomic.Int64 // accepted
	open  sync.WaitGroup
}

// newScript has play called for each connection, the first of which is number 1;
// the connection is closed when play returns.
func newScript(t testing.TB, ln net.Listener, play func(nth int, c *peer)) *script {
	t.Helper()
	if ln == nil {
		var err error
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	s := &script{url: "http://" + ln.Addr().String(), ln: ln}
	s.open.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			nth := int(s.conns.Add(1))
			_ = conn.SetDeadline(time.Now().Add(time.Hour))
			s.open.Go(func() {
				defer conn.Close()
				play(nth, &peer{Conn: conn, in: bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() { _ = s.ln.Close() })
	return s
}

// accepted says how many connections there must have been.
func (s *script) accepted(t *testing.T, want int64) {
	t.Helper()
	if got := s.conns.Load(); got != want {
		t.Errorf("%d connections were made, want %d", got, want)
	}
}

// peer is the server's end of a connection.
type peer struct {
	net.Conn
	in *bufio.Reader
}

// request reads one with its body; false when there is none any more.
func (c *peer) request() bool {
	req, err := http.ReadRequest(c.in)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return err == nil
}

func (c *peer) say(s string) { _, _ = io.WriteString(c, s) }

// serve answers everything with ok.
func (c *peer) serve() {
	for c.request() {
		c.say(ok)
	}
}

// ended waits until the client has closed.
func (c *peer) ended() { _, _ = io.Copy(io.Discard, c.in) }

// reset closes with a reset.
func (c *peer) reset() {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
