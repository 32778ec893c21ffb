package httpd

import (
	"net"
	"sync"
)

// gate gives net/http connections that somebody else has accepted.
type gate struct {
	addr net.Addr
	mu   sync.Mutex
	in   []net.Conn
	shut bool
	more chan struct{} // of capacity 1: there is something to see
}

var _ net.Listener = (*gate)(nil)

func newGate(a net.Addr) *gate {
	return &gate{addr: a, more: make(chan struct{}, 1)}
}

// admit never waits.
func (g *gate) admit(nc net.Conn) {
	g.mu.Lock()
	g.in = append(g.in, nc)
	g.mu.Unlock()
	g.look()
}

func (g *gate) look() {
	select {
	case g.more <- struct{}{}:
	default:
	}
}

// Accept ends after Close, and when nobody is left who was admitted.
func (g *gate) Accept() (net.Conn, error) {
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

// Close admits nobody any more.
func (g *gate) Close() error {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.look()
	return nil
}

func (g *gate) Addr() net.Addr { return g.addr }
