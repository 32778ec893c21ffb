package tcp

import (
	"crypto/tls"
	"time"

	"github.com/usher-go/usher/wheel"
)

// secure has the wheel encrypt its connections: as soon as wheel.SocketFactoryConfig
// has TLS and HandshakeTimeout, it sets them and never fails.
func secure(_ *wheel.SocketFactoryConfig, t *tls.Config, _ time.Duration) error {
	if t == nil {
		return nil
	}
	return misconfigured("TLS", "is set, and cannot be yet; wrap the connection in PreConnect")
}
