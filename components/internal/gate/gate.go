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
	in     []net.Conn
	shut   bool
	closed bool
	more   chan struct{} // of capacity 1: there is something to see
}

var _ net.Listener = (*Gate)(nil)

// New has Addr return a.
func New(a net.Addr) *Gate {
	return &Gate{addr: a, more: make(chan struct{}, 1)}
}

// Admit has the connection accepted, or closes it if nobody will.
func (g *Gate) Admit(nc net.Conn) {
	g.mu.Lock()
	closed := g.closed
	if !closed {
		g.in = append(g.in, nc)
	}
	g.mu.Unlock()
	if closed {
		nc.Close()
	}
	g.look()
}

func (g *Gate) look() {
	select {
	case g.more <- struct{}{}:
	default:
	}
}

// Accept ends with net.ErrClosed after Close, and after Shut when nobody is left who
// was admitted.
func (g *Gate) Accept() (net.Conn, error) {
	for {
		g.mu.Lock()
		if len(g.in) > 0 {
			nc := g.in[0]
			g.in[0], g.in = nil, g.in[1:]
			g.mu.Unlock()
			return nc, nil
		}
		shut := g.shut
		g.mu.Unlock()
		if shut {
			g.look() // for whoever asks again
			return nil, net.ErrClosed
		}
		<-g.more
	}
}

// Shut says that nobody will be admitted any more.
func (g *Gate) Shut() {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.look()
}

// Close says that nobody will accept any more: who waits is closed.
func (g *Gate) Close() error {
	g.mu.Lock()
	left := g.in
	g.in, g.shut, g.closed = nil, true, true
	g.mu.Unlock()
	for _, nc := range left {
		nc.Close()
	}
	g.look()
	return nil
}

// Addr is what New was given.
func (g *Gate) Addr() net.Addr { return g.addr }
