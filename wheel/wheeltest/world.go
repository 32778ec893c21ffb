package wheeltest

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/wheel"
)

// World is what a Case's wheel lives in. Every run has one of its own.
type World struct {
	// Network is the kernel's, too.
	Network *Network

	// Seed is that of the run, for a Make that leaves something to chance.
	Seed uint64

	// TempDir makes a directory that is removed when the test ends.
	TempDir func() string

	given []*Conn
}

// Conn returns one end of a connection. The other end sends these pieces, a
// millisecond apart, takes whatever comes, and ends when both directions have.
func (w *World) Conn(pieces ...string) net.Conn {
	near, far := w.Network.Pair()
	w.given = append(w.given, near)
	w.play(far, pieces)
	return near
}

// Serve listens for one client, which meets the same as the end that Conn returns.
func (w *World) Serve(pieces ...string) net.Addr {
	l, err := w.Network.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ln := l.(*Listener)
	ln.Notify(func() {
		w.Network.After(0, func() {
			if c, err := ln.TryAccept(); err == nil {
				_ = ln.Close()
				w.play(c.(*Conn), pieces)
			}
		})
	})
	w.Network.After(unwanted, func() { _ = ln.Close() })
	return l.Addr()
}

// unwanted is when a listener of Serve gives up: a wheel that was closed does not come.
const unwanted = 50 * time.Millisecond

// Dial is a client for a server wheel: it connects and behaves like Conn's other
// end. Who refuses or resets it does no harm.
func (w *World) Dial(to net.Addr, pieces ...string) {
	w.Network.DialAsync(context.Background(), to.Network(), to.String(), func(c net.Conn, err error) {
		if err == nil {
			w.Network.After(0, func() { w.play(c.(*Conn), pieces) })
		}
	})
}

// play has a peer play its part, without a goroutine.
func (w *World) play(c *Conn, pieces []string) {
	p := &peer{n: w.Network, conn: c, left: pieces}
	c.Notify(p.soon, nil)
	w.Network.After(0, p.send)
	p.soon()
}

// peer is the other end of a wheel's connection.
type peer struct {
	n    *Network
	conn *Conn

	mu   sync.Mutex
	left []string
	sent bool
	over bool
}

func (p *peer) soon() { p.n.After(0, p.read) }

func (p *peer) send() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.left) == 0 {
		p.sent = true
		_ = p.conn.CloseWrite()
		p.soon()
		return
	}
	if n, err := p.conn.TryWrite([]byte(p.left[0])); err == nil {
		if p.left[0] = p.left[0][n:]; p.left[0] == "" {
			p.left = p.left[1:]
		}
	} else if err != wheel.ErrAgain {
		p.left = nil
	}
	p.n.After(time.Millisecond, p.send)
}

func (p *peer) read() {
	p.mu.Lock()
	defer p.mu.Unlock()
	buf := make([]byte, 4096)
	for !p.over {
		_, err := p.conn.TryRead(buf)
		switch {
		case err == nil:
			continue
		case err != wheel.ErrAgain:
			p.over = true
		}
		break
	}
	if p.over && p.sent {
		_ = p.conn.Close()
	}
}
