package httpclient

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// proxyKey marks Request.Proxy in a request's context.
type proxyKey struct{}

// proxyFunc is what a transport asks for each request's proxy (A119).
func proxyFunc(cfg Config) func(*http.Request) (*url.URL, error) {
	direct := cfg.NoProxy
	if direct == nil {
		env := cmp.Or(os.Getenv("NO_PROXY"), os.Getenv("no_proxy"))
		direct = strings.FieldsFunc(env, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return func(req *http.Request) (*url.URL, error) {
		own, _ := req.Context().Value(proxyKey{}).(*url.URL)
		switch {
		case endsInOne(req.URL.Hostname(), direct):
			return nil, nil
		case own != nil:
			return own, nil
		case cfg.Proxy == nil:
			return http.ProxyFromEnvironment(req)
		case len(cfg.Proxy) == 0:
			return nil, nil
		}
		return cfg.Proxy[rand.IntN(len(cfg.Proxy))], nil
	}
}

func endsInOne(host string, ends []string) bool {
	host = strings.ToLower(host)
	for _, end := range ends {
		if strings.HasSuffix(host, strings.ToLower(end)) {
			return true
		}
	}
	return false
}

// checkProxy refuses what net/http would take for an HTTP proxy, or for none.
func checkProxy(field string, p *url.URL) error {
	if p == nil || p.Host == "" || defaultPort[p.Scheme] == 0 {
		return fmt.Errorf("%w: %s is %q; want one with http, https, socks5 or socks5h and a host, such as http://proxy:3128", ErrArgument, field, p.Redacted())
	}
	return nil
}
