//go:build unix

package prefork

import (
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/usher-go/usher/wheel"
)

// guarded is a worker's connection: it tells the worker when it is closed, and
// its reads end when nothing came or went for Config.ReadTimeout.
type guarded struct {
	net.Conn
	once    sync.Once
	closed  func()
	timeout time.Duration // 0: none

	mu    sync.Mutex
	limit time.Time // the owner's own deadline for reads; zero: none
}

var _ wheel.Descriptor = (*guarded)(nil)

func guard(w *Worker, conn net.Conn) *guarded {
	g := &guarded{Conn: conn, closed: func() { _ = w.lease.Post(evFinished.Name(), struct{}{}) }}
	if w.cfg.ReadTimeout != Unlimited {
		g.timeout = w.cfg.ReadTimeout
	}
	return g
}

// Close closes the connection, which makes room in the worker.
func (g *guarded) Close() error {
	err := g.Conn.Close()
	g.once.Do(g.closed)
	return err
}

// patience begins anew. It never outlasts the owner's own deadline.
func (g *guarded) patience() {
	if g.timeout > 0 {
		g.mu.Lock()
		defer g.mu.Unlock()
		_ = g.arm()
	}
}

func (g *guarded) arm() error {
	at := g.limit
	if g.timeout > 0 {
		if end := time.Now().Add(g.timeout); at.IsZero() || end.Before(at) {
			at = end
		}
	}
	return g.Conn.SetReadDeadline(at)
}

// SetReadDeadline sets the owner's own deadline; ReadTimeout goes on beside it.
func (g *guarded) SetReadDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = t
	return g.arm()
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (g *guarded) SetDeadline(t time.Time) error {
	if err := g.SetReadDeadline(t); err != nil {
		return err
	}
	return g.SetWriteDeadline(t)
}

func (g *guarded) Read(p []byte) (int, error) {
	g.patience()
	return g.Conn.Read(p)
}

func (g *guarded) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	g.patience()
	return n, err
}

// CloseWrite half-closes, where the connection can.
func (g *guarded) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return syscall.EOPNOTSUPP
}

// DescriptorConn lets wheels read and write without a detour; IdleTimeout is for them.
func (g *guarded) DescriptorConn() (syscall.RawConn, error) {
	sc, ok := g.Conn.(syscall.Conn)
	if !ok {
		return nil, syscall.EOPNOTSUPP
	}
	return sc.SyscallConn()
}

// IdleTimeout is what ReadTimeout means to a wheel.
func (g *guarded) IdleTimeout() time.Duration { return g.timeout }
