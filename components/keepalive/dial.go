package keepalive

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strconv"

	"github.com/usher-go/usher/kernel"
)

// dialing is a connection on its way. Its lease keeps the pool until it ends.
type dialing struct {
	cancel context.CancelFunc
	lease  *kernel.Lease
}

// dialEnd is what became of it.
type dialEnd struct {
	conn     connID
	net      net.Conn
	function string
	err      error
}

// dial opens a connection, on a goroutine of its own.
func (p *keeper) dial(c *kernel.Context, a dial) {
	ctx, cancel := context.WithCancel(background)
	d := &dialing{cancel, c.Lease("keepalive dial " + a.key.String())}
	p.dials[a.conn] = d
	network, bind := p.pool.k.Network(), p.pool.cfg.BindAddress
	go func() {
		defer cancel()
		end := dialEnd{conn: a.conn}
		end.net, end.function, end.err = open(ctx, network, bind, a.key)
		if d.lease.Post(evDialed.Name(), end) != nil && end.net != nil {
			_ = end.net.Close() // the pool ended meanwhile
		}
	}()
}

// open dials and, for https, shakes hands; it names the step that failed.
func open(ctx context.Context, network kernel.Network, bind string, key Key) (net.Conn, string, error) {
	to := net.JoinHostPort(key.Addr, strconv.Itoa(key.Port))
	conn, err := network.Dial(kernel.WithLocalAddress(ctx, bind), "tcp", to)
	if err != nil {
		return nil, failing(err), err
	}
	if key.Scheme != "https" {
		return conn, "", nil
	}
	secure := tls.Client(conn, &tls.Config{ServerName: key.Addr})
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, "sslify", err
	}
	return secure, "", nil
}

// failing names the step behind a dial's error: the system call, or "resolve" (A40).
func failing(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "resolve"
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Syscall
	}
	return "connect"
}
