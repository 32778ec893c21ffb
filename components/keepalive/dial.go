package keepalive

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// dialing is a connection on its way, and then the place where it waits for the
// pool's turn. Its lease keeps the pool until that.
type dialing struct {
	cancel context.CancelFunc
	lease  *kernel.Lease

	mu   sync.Mutex
	end  outcome
	over bool // the pool wants it no more
}

// outcome is what became of a dial: a connection, or the step that failed.
type outcome struct {
	conn     net.Conn
	function string
	err      error
}

// dial opens a connection, on a goroutine of its own.
func (p *keeper) dial(c *kernel.Context, a dial) {
	ctx, cancel := context.WithCancel(background)
	d := &dialing{cancel: cancel, lease: c.Lease("keepalive dial " + a.key.String())}
	p.dials[a.conn] = d
	network, cfg := p.pool.k.Network(), &p.pool.cfg
	go func() {
		defer cancel()
		d.set(open(ctx, network, cfg, a.key))
		_ = d.lease.Post(evDialed.Name(), a.conn) // not to a pool that ended; it closes the connection itself
		d.lease.Release()
	}()
}

func (d *dialing) set(end outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over && end.conn != nil {
		hangUp(end.conn)
		return
	}
	d.end = end
}

func (d *dialing) take() outcome {
	d.mu.Lock()
	defer d.mu.Unlock()
	end := d.end
	d.end = outcome{}
	return end
}

// giveUp is for a pool that ends: a connection that has come, or comes yet, is closed.
func (d *dialing) giveUp() {
	d.cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.end.conn != nil {
		hangUp(d.end.conn)
	}
}

// open dials and, for https, shakes hands; it names the step that failed. The
// network looks names up, and tries all their addresses.
func open(ctx context.Context, network kernel.Network, cfg *Config, key Key) outcome {
	to := net.JoinHostPort(key.Addr, strconv.Itoa(key.Port))
	conn, err := network.Dial(kernel.WithLocalAddress(ctx, cfg.BindAddress), "tcp", to)
	if err != nil {
		return outcome{function: failing(err), err: err}
	}
	if key.Scheme != "https" {
		return outcome{conn: conn}
	}
	secure := tls.Client(conn, clientTLS(cfg.TLS, key.Addr))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return outcome{function: "sslify", err: err}
	}
	return outcome{conn: secure}
}

func clientTLS(cfg *tls.Config, host string) *tls.Config {
	if cfg == nil {
		return &tls.Config{ServerName: host}
	}
	cfg = cfg.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	return cfg
}

// failing names the step behind a dial's error: the system call, or "resolve" (A40).
func failing(err error) string {
	var dns *net.DNSError
	var addr *net.AddrError // none of the family that Config.BindAddress has
	if errors.As(err, &dns) || errors.As(err, &addr) {
		return "resolve"
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Syscall
	}
	return "connect"
}
