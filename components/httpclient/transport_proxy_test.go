package httpclient_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// proxy is an HTTP proxy that keeps a list of what it was asked on which connection.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // "remote METHOD target credentials"
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user := r.Header.Get("Proxy-Authorization")
	p.mu.Lock()
	p.asked = append(p.asked, fmt.Sprint(r.RemoteAddr, " ", r.Method, " ", r.RequestURI, " ", user))
	p.mu.Unlock()
	if r.Method != http.MethodConnect {
		_, _ = io.WriteString(w, "by proxy: "+r.URL.String())
		return
	}
	to, err := net.Dial("tcp", strings.Replace(r.Host, "example.com", "127.0.0.1", 1))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	go func() { _, _ = io.Copy(to, rw); _ = to.Close() }()
	go func() { _, _ = io.Copy(conn, to); _ = conn.Close() }()
}

// connections is how many of them were used.
func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := map[string]bool{}
	for _, line := range p.asked {
		from[strings.Fields(line)[0]] = true
	}
	return len(from)
}

func newProxy(t *testing.T, start func(http.Handler) *httptest.Server) *proxy {
	p := &proxy{}
	p.Server = start(p)
	t.Cleanup(p.Close)
	return p
}

// via is a rig whose requests go through the proxy at the URL.
func via(t *testing.T, cfg keepalive.Config, proxy string) *transportRig {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	rig := newTransportRig(t, cfg, nil)
	rig.Proxy = http.ProxyURL(u)
	return rig
}

func trust(servers ...*httptest.Server) *tls.Config {
	cfg := &tls.Config{RootCAs: x509.NewCertPool()}
	for _, s := range servers {
		cfg.RootCAs.AddCert(s.Certificate())
	}
	return cfg
}

// A18: what goes through one proxy to different targets is kept apart where it must
// be, and only there.
func TestA18_ProxyAndTarget(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{
		"http proxy": httptest.NewServer, "https proxy": httptest.NewTLSServer,
	} {
		t.Run(name, func(t *testing.T) {
			hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "directly") })
			one, two := httptest.NewTLSServer(hello), httptest.NewTLSServer(hello)
			defer one.Close()
			defer two.Close()
			p := newProxy(t, start)
			cfg := keepalive.Config{}
			if p.TLS != nil {
				cfg.TLS = trust(p.Server)
			}
			rig := via(t, cfg, p.URL)
			rig.TLSClientConfig = trust(one, two)

			for range 3 {
				for _, target := range []string{"http://one.example/x?y", "http://two.example:8080/"} {
					if got := rig.get(target); got != "by proxy: "+target {
						t.Errorf("got %q", got)
					}
				}
			}
			rig.holds(keepalive.Load{Idle: 1}) // plain requests share a connection

			for range 3 {
				for _, target := range []string{one.URL, two.URL} {
					resp, err := rig.client.Get(target)
					if got := rig.read(resp, err); got != "directly" || resp.TLS == nil {
						t.Errorf("got %q, TLS %v", got, resp.TLS)
					}
				}
			}
			rig.holds(keepalive.Load{Idle: 3}) // one more for each target
			if n := p.connections(); n != 3 {
				t.Errorf("the proxy has %d connections, want 3", n)
			}
		})
	}
}

// A proxy with TLS shows its own certificate, whatever the target's name is, and the
// target its own.
func TestA18_NameOfAProxyWithTLS(t *testing.T) {
	names := make(chan string, 2)
	started := func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			names <- hello.ServerName
			return nil, nil
		}}
		s.StartTLS()
		return s
	}
	target := started(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "directly") }))
	defer target.Close()
	p := newProxy(t, started)
	rig := via(t, keepalive.Config{TLS: trust(p.Server)}, p.URL)
	rig.TLSClientConfig = trust(target)
	if got := rig.get(strings.Replace(target.URL, "127.0.0.1", "example.com", 1)); got != "directly" {
		t.Errorf("got %q", got)
	}
	if name := <-names; name != "" { // it has an address only
		t.Errorf("the proxy is taken for %q", name)
	}
	if name := <-names; name != "example.com" {
		t.Errorf("the target is taken for %q", name)
	}
}

// The proxy gets the credentials of its URL, and connections with different ones
// are kept apart. Nobody else gets them: statistics are on status pages.
func TestTransport_ProxyCredentials(t *testing.T) {
	p := newProxy(t, httptest.NewServer)
	rig := via(t, keepalive.Config{}, p.URL)
	user := ""
	rig.Proxy = func(*http.Request) (*url.URL, error) {
		return url.Parse(strings.Replace(p.URL, "//", "//"+user, 1))
	}
	for range 2 {
		for _, user = range []string{"", "ann:a@", "bob:b@"} {
			rig.get("http://one.example/")
		}
	}
	rig.holds(keepalive.Load{Idle: 3})
	stats, err := rig.Pool.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if page, err := json.Marshal(stats); err != nil || strings.Contains(string(page), "ann") {
		t.Errorf("%v, and the statistics tell credentials: %s", err, page)
	}
	for i, line := range p.asked {
		want := []string{"", "Basic YW5uOmE=", "Basic Ym9iOmI="}[i%3]
		if !strings.HasSuffix(line, "http://one.example/ "+want) {
			t.Errorf("request %d: %q, want %q", i, line, want)
		}
	}
}

// A proxy that refuses, or is none, costs no place in the pool.
func TestTransport_ProxyFails(t *testing.T) {
	p := newProxy(t, httptest.NewServer)
	nobody := newScript(t, nil, func(_ int, c *peer) { _, _ = c.Read(make([]byte, 4096)) })
	for name, c := range map[string]struct{ proxy, target, want string }{
		"refused":    {p.URL, "https://127.0.0.1:1", "Bad Gateway"},
		"hangs up":   {nobody.url, "https://127.0.0.1:1", "EOF"},
		"no socks":   {strings.Replace(nobody.url, "http", "socks5", 1), "http://127.0.0.1:1", "EOF"},
		"no host":    {"http://:80", "http://127.0.0.1:1", "no host"},
		"no port":    {"http://x:0", "http://127.0.0.1:1", "no port"},
		"no proxy":   {"ftp" + p.URL[4:], "http://127.0.0.1:1", "http, https, socks5 or socks5h"},
		"unresolved": {"http://proxy.invalid", "http://127.0.0.1:1", "resolve"},
	} {
		t.Run(name, func(t *testing.T) {
			rig := via(t, keepalive.Config{}, c.proxy)
			if _, err := rig.client.Get(c.target); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			rig.holds(keepalive.Load{})
		})
	}
}

// Socks works for both schemes; its connections belong to their target.
func TestTransport_Socks(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })
	plain, secure := httptest.NewServer(hello), httptest.NewTLSServer(hello)
	defer plain.Close()
	defer secure.Close()
	s := newScript(t, nil, func(_ int, c *peer) {
		b := make([]byte, 22)
		_, _ = io.ReadFull(c.in, b[:2])
		_, _ = io.ReadFull(c.in, b[:b[1]])
		c.say("\x05\x00")
		_, _ = io.ReadFull(c.in, b[:10]) // version, command, 0, IPv4, address, port
		to, err := net.Dial("tcp", fmt.Sprintf("%v:%d", net.IP(b[4:8]), binary.BigEndian.Uint16(b[8:10])))
		if err != nil {
			return
		}
		defer to.Close()
		c.say("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
		go func() { _, _ = io.Copy(to, c.in); _ = to.Close() }()
		_, _ = io.Copy(c, to)
	})
	rig := via(t, keepalive.Config{}, strings.Replace(s.url, "http", "socks5", 1))
	rig.TLSClientConfig = trust(secure)
	for range 3 {
		for _, target := range []string{plain.URL, secure.URL} {
			if got := rig.get(target); got != "hello" {
				t.Errorf("got %q", got)
			}
		}
	}
	rig.holds(keepalive.Load{Idle: 2})
	s.accepted(t, 2)
}

// A server that takes HTTP/2 is refused, with the remedy.
func TestTransport_NoHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	cfg := trust(server)
	cfg.NextProtos = []string{"h2", "http/1.1"}
	rig := newTransportRig(t, keepalive.Config{TLS: cfg}, nil)
	if _, err := rig.client.Get(server.URL); err == nil || !strings.Contains(err.Error(), "NextProtos") {
		t.Errorf("%v, want what to do about NextProtos", err)
	}
	rig.holds(keepalive.Load{})

	tunnel := via(t, keepalive.Config{}, newProxy(t, httptest.NewServer).URL)
	tunnel.TLSClientConfig = cfg
	for _, rig := range []*transportRig{newTransportRig(t, keepalive.Config{TLS: trust(server)}, nil), tunnel} {
		resp, err := rig.client.Get(server.URL)
		rig.read(resp, err)
		if resp.Proto != "HTTP/1.1" || resp.TLS == nil {
			t.Errorf("%s, TLS %v", resp.Proto, resp.TLS)
		}
	}
}

// A Transport or request that cannot work is refused before anything is opened.
func TestTransport_Argument(t *testing.T) {
	rig := newTransportRig(t, keepalive.Config{}, nil)
	for name, c := range map[string]struct {
		rt  *httpclient.Transport
		url *url.URL
	}{
		"no pool":    {&httpclient.Transport{}, &url.URL{Scheme: "http", Host: "x"}},
		"no URL":     {rig.Transport, nil},
		"scheme":     {rig.Transport, &url.URL{Scheme: "ftp", Host: "x"}},
		"no host":    {rig.Transport, &url.URL{Scheme: "http", Path: "/x"}},
		"high port":  {rig.Transport, &url.URL{Scheme: "http", Host: "x:65536"}},
		"empty port": {rig.Transport, &url.URL{Scheme: "http", Host: "x:0"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := &closes{Reader: strings.NewReader("")}
			_, err := c.rt.RoundTrip(&http.Request{Method: "POST", URL: c.url, Header: http.Header{}, Body: body})
			if err == nil || !strings.HasPrefix(err.Error(), httpclient.ErrArgument.Error()) {
				t.Errorf("%v, want %v", err, httpclient.ErrArgument)
			}
			if n := body.n.Load(); n != 1 {
				t.Errorf("the body was closed %d times", n)
			}
		})
	}
	(&httpclient.Transport{}).CloseIdleConnections() // nothing happens
}
