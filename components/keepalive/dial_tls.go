package keepalive

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/usher-go/usher/kernel"
)

// secure shakes hands on a goroutine, for crypto/tls has to wait for its peer
// (A76). done is called once, in a turn, also after cancel.
func (d *dialer) secure(conn net.Conn, key Key, done func(*kernel.Context, outcome)) (cancel func()) {
	ctx, cancel := context.WithCancel(background)
	secure := tls.Client(conn, clientTLS(d.cfg.TLS, key.ForAddr))
	go func() {
		defer cancel()
		o := outcome{conn: secure}
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			o = outcome{err: err}
		}
		d.put(word{conn: o.conn, take: func(c *kernel.Context) { done(c, o) }})
	}()
	return cancel
}

// clientTLS is what Config.TLS says, for a peer of that name or address.
func clientTLS(cfg *tls.Config, host string) *tls.Config {
	if cfg == nil {
		return &tls.Config{ServerName: host}
	}
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = host
	}
	return cfg
}
