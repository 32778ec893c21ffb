package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// remoteConfig configures the transport over Proto.Actor's remote.
type remoteConfig struct {
	// Listen is a host and a port; 127.0.0.1:0 by default. An address that is not a
	// loopback one wants TLS.
	Listen string

	// Advertise is what other nodes dial, by default what Listen says, with the port
	// that the system chose. It is needed when Listen names no host.
	Advertise string

	// TLS has this node's certificate, for both directions, and in RootCAs or
	// ClientCAs the authorities whose nodes belong to the cluster; one stands for the
	// other. Peers on both sides must show a certificate, and a server's must be for
	// the host that is dialled. To renew one, set GetCertificate and
	// GetClientCertificate. Nil: no TLS, and only between loopback addresses.
	TLS *tls.Config

	// MaxPacket is how long a packet may be, in bytes, in both directions: 4 MiB and
	// a quarter by default, which is the default of Config.MaxEvent and what is around
	// an event.
	MaxPacket int

	host           string
	port           int
	server, client *tls.Config
}

const (
	remoteListen    = "127.0.0.1:0"
	remoteMaxPacket = 4<<20 + 256<<10
)

func remoteConfigError(format string, args ...any) error {
	return fmt.Errorf("%w: Config."+format, append([]any{ErrConfig}, args...)...)
}

// complete sets defaults and checks what can be checked without the network.
func (c *remoteConfig) complete() error {
	c.Listen = cmp.Or(c.Listen, remoteListen)
	c.MaxPacket = cmp.Or(c.MaxPacket, remoteMaxPacket)
	if c.MaxPacket < 1<<10 || c.MaxPacket > 1<<30 {
		return remoteConfigError("MaxEvent: a packet of %d bytes; want 1 KiB to 1 GiB", c.MaxPacket)
	}
	var err error
	if c.host, c.port, err = splitAddress(c.Listen); err != nil {
		return remoteConfigError("Listen is %q: %v; want host:port", c.Listen, err)
	}
	if ip, err := netip.ParseAddr(c.host); (c.host == "" || err == nil && ip.IsUnspecified()) && c.Advertise == "" {
		return remoteConfigError("Listen is %q, which names no host to dial; set Advertise to the host:port by which other nodes reach this one", c.Listen)
	}
	if c.Advertise != "" {
		host, port, err := splitAddress(c.Advertise)
		if err != nil || host == "" || port == 0 {
			return remoteConfigError("Advertise is %q; want the host:port by which other nodes reach this one", c.Advertise)
		}
	}
	if c.TLS == nil {
		if c.host == "" {
			return c.needTLS()
		}
		return nil
	}
	c.server, c.client, err = mutualTLS(c.TLS)
	return err
}

func (c *remoteConfig) needTLS() error {
	return remoteConfigError("Listen is %q, which others than this machine can reach, and Config.TLS is not set; set TLS, or listen on %s", c.Listen, remoteListen)
}

// resolve says what to listen on, with an IP address.
func (c *remoteConfig) resolve(ctx context.Context) (string, error) {
	if c.host == "" {
		return c.Listen, nil
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", c.host)
	if err != nil {
		return "", fmt.Errorf("Config.Listen %q: %w; name a host of this machine", c.Listen, err)
	}
	for _, ip := range list {
		if c.TLS == nil && !ip.Unmap().IsLoopback() {
			return "", c.needTLS()
		}
	}
	return netip.AddrPortFrom(list[0].Unmap(), uint16(c.port)).String(), nil
}

// advertised is what others dial. A name stays a name: certificates are for it.
func (c *remoteConfig) advertised(listening net.Addr) string {
	if c.Advertise != "" {
		return c.Advertise
	}
	_, port, _ := net.SplitHostPort(listening.String())
	return net.JoinHostPort(c.host, port)
}

// splitAddress takes host:port apart; the host may be empty.
func splitAddress(address string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not a number up to 65535", digits)
	}
	return host, int(n), nil
}
