package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

// conn is the connection as net/http has it, below TLS. It sees what net/http
// tells nobody: that it refused a request, and when a client takes no more.
type conn struct {
	net.Conn
	server    *Server
	authority string
	info      Connection
	closers   closers
	tls       atomic.Pointer[tls.Conn]

	deadlines

	closed  atomic.Bool
	dead    atomic.Bool
	turn    turn                   // whose it is to speak
	unkept  atomic.Bool            // to be closed when it is idle
	asked   atomic.Bool            // a request has reached the server; until it is idle again
	heard   atomic.Bool            // bytes came, and no request yet
	refusal atomic.Pointer[string] // what net/http answered to them
}

// newConn refuses who comes in as the server ends.
func (s *Server) newConn(nc net.Conn, authority string) (net.Conn, error) {
	c := &conn{Conn: nc, server: s, authority: authority}
	c.info = newConnection(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() != isOpen {
		nc.Close()
		return nil, net.ErrClosed
	}
	s.accepted.Add(1)
	s.conns[c.info.ID] = c
	return c, nil
}

// hear notes what was read.
func (c *conn) hear(n int, err error) {
	if n > 0 && c.tls.Load() == nil && !c.asked.Load() {
		c.heard.Store(true)
	}
	if err == nil {
		return
	}
	c.turn.Store(serving) // nothing follows: who closes it now means it
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		c.dead.Store(true)
	}
}

// maxWrite bounds what has to leave within one Config.WriteTimeout.
const maxWrite = 256 << 10

func (c *conn) Write(b []byte) (n int, err error) {
	if !c.asked.Load() {
		c.note(b)
	}
	for {
		if err := c.limitWrite(); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(b[:min(len(b), maxWrite)])
		n += m
		b = b[m:]
		if err != nil {
			c.dead.Store(true)
			return n, err
		}
		if len(b) == 0 {
			return n, nil
		}
	}
}

// CloseWrite is for net/http, which gives a client time to read its last answer.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close hangs up first, if that is to be told to a client that may be about to ask.
func (c *conn) Close() error {
	if c.politely() {
		return nil
	}
	return c.shut()
}

// shut tells the close handlers, once the socket is closed (H80).
func (c *conn) shut() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.Conn.Close()
	c.dead.Store(true)
	s := c.server
	s.mu.Lock()
	delete(s.conns, c.info.ID)
	s.mu.Unlock()
	c.closers.fire(func(h closer) { s.tell(Target{h.who, h.event}, h.args...) })
	if s.seats != nil {
		<-s.seats
	}
	s.settle()
	return err
}

// retire closes the connection as soon as it is idle (H49).
func (c *conn) retire() {
	c.unkept.Store(true)
	if c.turn.between() {
		c.Close()
	}
}

// connState is net/http's hook. Of a request that it refuses it tells only that
// bytes came, and then the end (H32).
func connState(nc net.Conn, st http.ConnState) {
	c := connOf(nc)
	switch st {
	case http.StateActive:
		c.turn.Store(serving)
		c.heard.Store(true)
	case http.StateIdle:
		c.asked.Store(false)
		c.heard.Store(false)
		c.turn.Store(idle)
		if c.unkept.Load() {
			c.Close()
		}
	case http.StateClosed:
		if !c.asked.Load() && (c.heard.Load() || c.refusal.Load() != nil) && !c.http2() && c.server.now() == isOpen {
			c.server.refuse(c)
		}
	}
}

// http2 connections speak of themselves, and their streams are refused one by one.
func (c *conn) http2() bool {
	t := c.tls.Load()
	return t != nil && t.ConnectionState().NegotiatedProtocol == "h2"
}

func connOf(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return nc.(*conn)
}

type connKey struct{}

// withConn has requests find their connection.
func withConn(ctx context.Context, nc net.Conn) context.Context {
	c := connOf(nc)
	if t, ok := nc.(*tls.Conn); ok {
		c.tls.Store(t)
	}
	return context.WithValue(ctx, connKey{}, c)
}
