package httpd_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// network gives a listener of the test's own first, and then the system's.
type network struct {
	kernel.Network
	first net.Listener
}

func (n *network) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if ln := n.first; ln != nil {
		n.first = nil
		return ln, nil
	}
	return n.Network.Listen(ctx, network, address)
}

// brokenListener listens and cannot accept.
type brokenListener struct {
	net.Listener
	closed atomic.Bool
}

func (b *brokenListener) Accept() (net.Conn, error) { return nil, errors.New("broken") }

func (b *brokenListener) Close() error {
	b.closed.Store(true)
	return b.Listener.Close()
}

// pipes is a network in memory, for bubbles.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	gone   atomic.Bool
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	if !p.gone.Swap(true) {
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial() net.Conn {
	a, b := net.Pipe()
	p.conns <- b
	return a
}
