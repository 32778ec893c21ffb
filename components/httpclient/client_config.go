package httpclient

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/usher-go/usher/components/keepalive"
)

// NoLimit, as Config.MaxSize, accepts answers of any size.
const NoLimit = -1

// What a zero field of Config means.
const (
	defaultTimeout       = 180 * time.Second // A113
	defaultMaxSize       = 64 << 20
	defaultProgressEvery = time.Second
	defaultAgent         = "Usher-httpclient/1 (Go; +https://github.com/usher-go/usher)"
)

// Config sets how one client asks. The zero value works.
type Config struct {
	// Alias names the client's session for those who post to it. Empty means
	// "httpclient-1" and so on. POE's "weeble" would allow only one.
	Alias string

	// Agent is what requests without a User-Agent header get: one of these, at
	// random. Empty means the library's name.
	Agent []string

	// From is what requests without a From header get. Empty means none.
	From string

	// Timeout is how long a request may take from its receipt, waiting for a
	// connection included. It starts again with every piece of the answer that
	// arrives, is taken, or follows from a redirect, and with every piece of the
	// request's body that is read (A113). 180 s when it is not above 0.
	Timeout time.Duration

	// MaxSize is how many octets of body are accepted; a longer answer is
	// ErrTooLarge. 0 means 64 MiB, or no limit when streaming. NoLimit is POE's
	// default, with which a server may fill the memory.
	MaxSize int64

	// Streaming, above 0, brings the body in chunks of at most so many octets, in
	// one Response each, see Response.Take; of 1 MiB at most. 0 brings it whole.
	Streaming int

	// FollowRedirects is how many redirects are followed; the one after them is
	// the answer. 0 follows none. How, net/http's Client decides.
	FollowRedirects int

	// Proxy are the proxies, one of which is picked at random for each request
	// (A119). Nil takes what http.ProxyFromEnvironment says: HTTP_PROXY,
	// HTTPS_PROXY, NO_PROXY, read once, and none for localhost. Empty and not nil
	// means none.
	Proxy []*url.URL

	// NoProxy are ends of host names, in any case, that are asked directly. Nil
	// takes NO_PROXY. Where the environment names the proxy, NO_PROXY counts, too.
	NoProxy []string

	// Jar keeps cookies. Nil keeps none.
	Jar http.CookieJar

	// MaxRequests is how many requests are under way at a time; others wait in the
	// order in which they came. 0 leaves that to the limits of the pool, which
	// lets no host wait for another; it refuses more waiting ones than its
	// MaxWaiting, which is 10,000 unless Pool says otherwise: they are ErrConnect.
	MaxRequests int

	// ProgressEvery is the least time between two Progress events of a request.
	// The first comes with the first piece of the body. 0 means 1 s.
	ProgressEvery time.Duration

	// Transport performs the requests. Nil means one over Pool. With another,
	// proxies, addresses and TLS are its business: Pool, Proxy, NoProxy,
	// BindAddress and TLS must be unset, and Request.Proxy has no effect.
	// It should call the hooks that net/http/httptrace puts in a request's
	// context, as net/http's do: they tell X-PCCH-Peer, and a server that is not
	// there from one that fails.
	Transport http.RoundTripper

	// Pool lends the connections (A112). Nil means one of the client's own, which
	// ends with it. Waiting for a connection counts under each request's Timeout.
	Pool *keepalive.Pool

	// BindAddress is the local IP address of the own pool's connections. Empty
	// lets the system choose.
	BindAddress string

	// TLS is for the own pool's "https", and for that behind a proxy. Nil trusts
	// the system's roots. It must not be changed after New.
	TLS *tls.Config
}

// complete returns c with its defaults filled in. Its error is an ErrArgument
// that names the field.
func (c Config) complete() (Config, error) {
	for _, f := range []struct {
		name  string
		v     int64
		least int64
	}{
		{"MaxSize", c.MaxSize, NoLimit},
		{"Streaming", int64(c.Streaming), 0},
		{"FollowRedirects", int64(c.FollowRedirects), 0},
		{"MaxRequests", int64(c.MaxRequests), 0},
		{"ProgressEvery", int64(c.ProgressEvery), 0},
	} {
		if f.v < f.least {
			return Config{}, fmt.Errorf("%w: Config.%s is %d; want %d or more", ErrArgument, f.name, f.v, f.least)
		}
	}
	if err := c.check(); err != nil {
		return Config{}, err
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxSize == 0 && c.Streaming == 0 {
		c.MaxSize = defaultMaxSize
	}
	if c.ProgressEvery == 0 {
		c.ProgressEvery = defaultProgressEvery
	}
	if len(c.Agent) == 0 {
		c.Agent = []string{defaultAgent}
	}
	return c, nil
}

// check refuses what could only be ignored.
func (c Config) check() error {
	if c.Transport != nil && (c.Pool != nil || c.Proxy != nil || c.NoProxy != nil || c.BindAddress != "" || c.TLS != nil) {
		return fmt.Errorf("%w: Config.Transport is set beside Pool, Proxy, NoProxy, BindAddress or TLS; set these on the Transport", ErrArgument)
	}
	if c.Pool != nil && c.BindAddress != "" {
		return fmt.Errorf("%w: Config.BindAddress is set beside Pool; set it on the Pool", ErrArgument)
	}
	for _, p := range c.Proxy {
		if err := checkProxy("Config.Proxy", p); err != nil {
			return err
		}
	}
	for _, s := range c.NoProxy {
		if s == "" {
			return fmt.Errorf("%w: Config.NoProxy has an empty string, which ends every name; want ends of host names", ErrArgument)
		}
	}
	return checkBind(c.BindAddress)
}
