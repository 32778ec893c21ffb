package httpclient

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/usher-go/usher/kernel"
)

// defaultTransport is what performs the requests when Config.Transport is nil.
// stop ends what it has of its own.
func defaultTransport(_ *kernel.Kernel, cfg Config) (rt http.RoundTripper, stop func(), err error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = proxyFunc(cfg)
	t.TLSClientConfig = cfg.TLS
	if cfg.BindAddress != "" {
		t.DialContext = (&net.Dialer{
			Timeout:   30 * time.Second,
			LocalAddr: &net.TCPAddr{IP: netip.MustParseAddr(cfg.BindAddress).AsSlice()},
		}).DialContext
	}
	return t, t.CloseIdleConnections, nil
}

func checkBind(s string) error {
	if s == "" {
		return nil
	}
	if _, err := netip.ParseAddr(s); err != nil {
		return fmt.Errorf("%w: Config.BindAddress is %q; want an IP address", ErrArgument, s)
	}
	return nil
}
