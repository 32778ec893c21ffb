package httpclient

import (
	"fmt"
	"net/http"
	"net/netip"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

// defaultTransport is what performs the requests when Config.Transport is nil.
// stop ends what it has of its own.
func defaultTransport(k *kernel.Kernel, cfg Config) (rt http.RoundTripper, stop func(), err error) {
	t := &Transport{Pool: cfg.Pool, Proxy: proxyFunc(cfg), TLSClientConfig: cfg.TLS}
	if t.Pool != nil {
		return t, t.CloseIdleConnections, nil
	}
	t.Pool, err = keepalive.New(k, keepalive.Config{
		Timeout: keepalive.NoLimit, BindAddress: cfg.BindAddress, TLS: cfg.TLS, // the time is each request's
	})
	if err != nil {
		return nil, nil, err
	}
	return t, t.Pool.Shutdown, nil
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
