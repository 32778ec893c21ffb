package tcp

import (
	"crypto/tls"
	"time"

	"github.com/usher-go/usher/wheel"
)

// secure has the wheel encrypt its connections.
func secure(cfg *wheel.SocketFactoryConfig, t *tls.Config, handshake time.Duration) error {
	cfg.TLS, cfg.HandshakeTimeout = t, handshake
	return nil
}
