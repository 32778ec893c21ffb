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
// its reads end when nothing came for Config.ReadTimeout.
type guarded struct {
	net.Conn
	once    sync.Once
	closed  func()
	timeout time.Duration
}

var _ wheel.Descriptor = (*guarded)(nil)

func guard(w *Worker, conn net.Conn) *guarded {
	g := &guarded{Conn: conn, closed: func() { _ = w.lease.Post(evFinished.Name(), struct{}{}) }}
	if w.cfg.ReadTimeout != Unlimited {
		g.timeout = w.cfg.ReadTimeout
	}
	return g
}

func (g *guarded) Close() error {
	err := g.Conn.Close()
	g.once.Do(g.closed)
	return err
}

func (g *guarded) patience() {
	if g.timeout > 0 {
		_ = g.SetReadDeadline(time.Now().Add(g.timeout))
	}
}

func (g *guarded) Read(p []byte) (int, error) {
	g.patience()
	return g.Conn.Read(p)
}

// CloseWrite half-closes, where the connection can.
func (g *guarded) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return syscall.EOPNOTSUPP
}

// DescriptorConn lets wheels read and write without a detour.
func (g *guarded) DescriptorConn() (syscall.RawConn, error) {
	sc, ok := g.Conn.(syscall.Conn)
	if !ok {
		return nil, syscall.EOPNOTSUPP
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	return guardedRaw{raw, g}, nil
}

type guardedRaw struct {
	syscall.RawConn
	g *guarded
}

func (r guardedRaw) Read(f func(fd uintptr) bool) error {
	r.g.patience()
	return r.RawConn.Read(f)
}
