package httpclient

import (
	"fmt"
	"hash/maphash"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usher-go/usher/components/keepalive"
)

// route is how a request reaches its target: which connection of the pool it
// needs, and what net/http does on that.
type route struct {
	ask    keepalive.Request
	scheme string   // the target's: http or https
	host   string   // likewise
	port   int      // likewise
	proxy  *url.URL // nil without
}

func (r *route) target() string { return net.JoinHostPort(r.host, strconv.Itoa(r.port)) }

// tunnel reports whether the connection's first bytes are talk with the proxy, and
// TLS may lie between it and HTTP.
func (r *route) tunnel() bool { return r.proxy != nil && (r.scheme == "https" || socks(r.proxy)) }

func socks(proxy *url.URL) bool { return proxy.Scheme == "socks5" || proxy.Scheme == "socks5h" }

// set checks req as far as it is needed to choose a connection; what else may be
// wrong with it, net/http finds.
func (r *route) set(t *Transport, req *http.Request) (err error) {
	switch {
	case t.Pool == nil:
		return fmt.Errorf("%w: Transport.Pool is nil; make one with keepalive.New", ErrArgument)
	case req.URL == nil:
		return fmt.Errorf("%w: Request.URL is nil", ErrArgument)
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: unsupported protocol scheme %q; want http or https", ErrArgument, req.URL.Scheme)
	}
	r.scheme = req.URL.Scheme
	if r.host, r.port, err = address(req.URL); err != nil {
		return err
	}
	r.ask = keepalive.Request{Scheme: r.scheme, Addr: r.host, Port: r.port, Use: t.use}
	if t.Proxy != nil {
		r.proxy, err = t.Proxy(req)
	}
	if err != nil || r.proxy == nil {
		return err
	}
	if err := checkProxy("the proxy's URL", r.proxy); err != nil {
		return err
	}
	via, viaPort, err := address(r.proxy)
	if err != nil {
		return err
	}
	r.ask = keepalive.Request{Scheme: r.proxy.Scheme, Addr: via, Port: viaPort, Use: t.use + " proxy" + by(r.proxy.User)}
	switch {
	case !r.tunnel():
	case r.proxy.Scheme == "https": // with a ForAddr the pool would want the target's certificate of the proxy
		r.ask.Use += " to " + r.target()
	default:
		r.ask.ForScheme, r.ask.ForAddr, r.ask.ForPort = r.scheme, r.host, r.port
	}
	return nil
}

var credentials = maphash.MakeSeed()

// by keeps the connections of different users apart, and does not name them: a key's
// Use is in the pool's statistics.
func by(user *url.Userinfo) string {
	if user == nil {
		return ""
	}
	return fmt.Sprintf(" by %x", maphash.String(credentials, user.String()))
}

var defaultPort = map[string]int{"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

// address is where u leads, as the pool wants it.
func address(u *url.URL) (host string, port int, err error) {
	if host = u.Hostname(); host == "" {
		return "", 0, fmt.Errorf("%w: no host in the URL %q", ErrArgument, u.Redacted())
	}
	if u.Port() == "" {
		port = defaultPort[u.Scheme]
	} else {
		port, _ = strconv.Atoi(u.Port()) // digits only, says net/url
	}
	if port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%w: no port from 1 to 65535 in the URL %q", ErrArgument, u.Redacted())
	}
	return host, port, nil
}
