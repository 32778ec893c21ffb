package wheel

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// maxHandshakes bounds the handshakes of a listener that go on at once, which
// silent peers can hold up until HandshakeTimeout.
const maxHandshakes = 1024

const defaultHandshakeTimeout = 10 * time.Second

// handshake makes TLS connections of plain ones. It waits, so it is for goroutines.
type handshake struct {
	cfg    *tls.Config
	side   func(net.Conn, *tls.Config) *tls.Conn
	limit  time.Duration
	ctx    context.Context
	cancel context.CancelFunc // ends those that go on
}

func newHandshake(cfg *SocketFactoryConfig, side func(net.Conn, *tls.Config) *tls.Conn) *handshake {
	h := &handshake{cfg: cfg.TLS, side: side, limit: cfg.HandshakeTimeout}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// do closes conn when it fails.
func (h *handshake) do(conn net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(h.ctx, h.limit)
	defer cancel()
	secure := h.side(conn, h.cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if ctx.Err() == context.DeadlineExceeded {
			err = errHandshakeTimeout
		}
		return nil, err
	}
	return secure, nil
}

// checkTLS says what the handshake would say of a configuration, earlier, and adds
// whom a client wants to meet.
func checkTLS(cfg *SocketFactoryConfig) error {
	switch {
	case cfg.HandshakeTimeout < 0:
		return misconfigured("SocketFactoryConfig.HandshakeTimeout", "is %v; want 0 for %v, or more", cfg.HandshakeTimeout, defaultHandshakeTimeout)
	case cfg.HandshakeTimeout == 0:
		cfg.HandshakeTimeout = defaultHandshakeTimeout
	}
	t := cfg.TLS
	switch {
	case t == nil:
	case isDatagram(cfg.Network):
		return misconfigured("SocketFactoryConfig.TLS", "is set, but Network is %q; TLS needs a stream", cfg.Network)
	case cfg.RemoteAddress == "":
		if len(t.Certificates) == 0 && t.GetCertificate == nil && t.GetConfigForClient == nil {
			return misconfigured("SocketFactoryConfig.TLS", "has no certificate; a server needs Certificates or GetCertificate")
		}
	case t.ServerName == "" && !t.InsecureSkipVerify:
		host, _, err := net.SplitHostPort(cfg.RemoteAddress)
		if err != nil || host == "" {
			return misconfigured("SocketFactoryConfig.TLS", "has no ServerName, and RemoteAddress %q names none; set it", cfg.RemoteAddress)
		}
		cfg.TLS = t.Clone()
		cfg.TLS.ServerName = host
	}
	return nil
}
