// Package gate has a net.Listener for connections that somebody else has accepted.
package gate

import (
	"net"
	"sync"
)

// Gate is a net.Listener. Its methods are for any goroutine, and only Accept waits.
type Gate struct {
	addr   net.Addr
	mu     sync.Mutex
	more   *sync.Cond // in or shut has changed
	in     []net.Conn
	shut   bool
	closed bool
}

var _ net.Listener = (*Gate)(nil)

// New has Addr return a.
func New(a net.Addr) *Gate {
	g := &Gate{addr: a}
	g.more = sync.NewCond(&g.mu)
	return g
}

// Admit has the connection accepted, or closes it if nobody will.
func (g *Gate) Admit(nc net.Conn) {
	g.mu.Lock()
	closed := g.closed
	if !closed {
		g.in = append(g.in, nc)
		g.more.Signal()
	}
	g.mu.Unlock()
	if closed {
		nc.Close()
	}
}

// Accept ends with net.ErrClosed after Close, and after Shut when nobody is left who
// was admitted.
func (g *Gate) Accept() (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.in) == 0 {
		if g.shut {
			return nil, net.ErrClosed
		}
		g.more.Wait()
	}
	nc := g.in[0]
	g.in[0], g.in = nil, g.in[1:]
	return nc, nil
}

// Shut says that nobody will be admitted any more.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	g.more.Broadcast()
}

// Close says that nobody will accept any more: who waits is closed.
func (g *Gate) Close() error {
	g.mu.Lock()
	left := g.in
	g.in, g.shut, g.closed = nil, true, true
	g.more.Broadcast()
	g.mu.Unlock()
	for _, nc := range left {
		nc.Close()
	}
	return nil
}

// Addr is what New was given.
func (g *Gate) Addr() net.Addr { return g.addr }
