package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
)

// Names in the certificate are who a peer is: DNS names, or the common name without.
func TestRemote_MutualTLS(t *testing.T) {
	authority := newRemoteAuthority(t)
	a := startRemote(t, remoteConfig{TLS: authority.config("a.example", "b.example")})
	b := startRemote(t, remoteConfig{TLS: authority.config("CN=node-b")})
	a.Send(b.address, hello("a"))
	b.Send(a.address, hello("b"))
	for _, c := range []struct {
		to   *remoteNode
		want []string
	}{{b, []string{"a.example", "b.example"}}, {a, []string{"node-b"}}} {
		if n := c.to.until("received"); !slices.Equal(n.from, c.want) {
			t.Errorf("from %q, want %q", n.from, c.want)
		}
	}
	if got := certifiedNames(&x509.Certificate{}); got == nil || len(got) > 0 {
		t.Errorf("names of a certificate without: %q, want none, and not nil", got)
	}
	plain := startRemote(t, remoteConfig{})
	reach(t, startRemote(t, remoteConfig{}), plain)
	plain.Send(a.address, hello("plain"))
	if n := plain.until("broken"); n.err == nil {
		t.Error("a node without TLS is let in")
	}
	a.until("refused")
}

// Nobody is let in without a certificate that the cluster's authority has signed and
// that is valid now, and nobody who has none is connected to.
func TestRemote_CertificateOfAnother(t *testing.T) {
	authority, other := newRemoteAuthority(t), newRemoteAuthority(t)
	node := startRemote(t, remoteConfig{TLS: authority.config("node")})
	with := func(certificates ...tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: certificates, RootCAs: authority.pool}
	}
	onlyServer := authority.certificate(time.Hour, "peer")
	for name, c := range map[string]struct {
		cfg  *tls.Config
		want string
	}{
		"none":           {with(), "certificate"},
		"another's":      {with(other.certificate(time.Hour, "node")), "certificate"},
		"expired":        {with(authority.certificate(-time.Minute, "node")), "certificate has expired"},
		"old version":    {&tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, Certificates: []tls.Certificate{onlyServer}, RootCAs: authority.pool}, "version"},
		"none, TLS 1.2":  {&tls.Config{MaxVersion: tls.VersionTLS12, RootCAs: authority.pool}, "certificate"},
		"other protocol": {&tls.Config{NextProtos: []string{"http/1.1"}, Certificates: []tls.Certificate{onlyServer}, RootCAs: authority.pool}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "other protocol" {
				c.cfg.InsecureSkipVerify = true
				conn, err := tls.Dial("tcp", node.address, c.cfg)
				if err == nil {
					conn.Close()
				}
				node.next("refused")
				return
			}
			stream, err := stranger(t, node.address, c.cfg).Receive(deadline(t))
			if err == nil {
				_ = stream.Send(greeting("x"))
				_, err = stream.Recv()
			}
			if err == nil {
				t.Error("let in")
			}
			wantError(t, node.until("refused").err, ErrRefused, c.want)
		})
	}
	// The other way: a's peer is not whom its address says.
	a := startRemote(t, remoteConfig{TLS: authority.config("a")})
	fake := startRemote(t, remoteConfig{TLS: other.config("node")})
	a.Send(fake.address, hello("a"))
	if n := a.next("broken"); !strings.Contains(n.err.Error(), "unknown authority") {
		t.Errorf("broken: %v", n.err)
	}
	a.Send(strings.Replace(node.address, "127.0.0.1", "localhost", 1), hello("a"))
	if n := a.next("broken"); !strings.Contains(n.err.Error(), "not localhost") {
		t.Errorf("broken: %v", n.err)
	}
}

// A certificate is renewed without a new start.
func TestRemote_CertificateRenewed(t *testing.T) {
	authority := newRemoteAuthority(t)
	var current atomic.Pointer[tls.Certificate]
	renew := func(names ...string) {
		c := authority.certificate(time.Hour, names...)
		current.Store(&c)
	}
	renew("old")
	a := startRemote(t, remoteConfig{TLS: &tls.Config{
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return current.Load(), nil },
		ClientCAs:            authority.pool,
	}})
	b := startRemote(t, remoteConfig{TLS: authority.config("b")})
	for _, name := range []string{"old", "new"} {
		renew(name)
		a.Drop(b.address)
		a.Send(b.address, hello("a"))
		if n := b.until("received"); !slices.Equal(n.from, []string{name}) {
			t.Errorf("from %q, want %q", n.from, name)
		}
		conn, err := tls.Dial("tcp", a.address, authority.config("x"))
		if err == nil {
			err = conn.VerifyHostname("127.0.0.1")
			if got := conn.ConnectionState().PeerCertificates[0].DNSNames; !slices.Equal(got, []string{name}) {
				t.Errorf("serves as %q, want %q", got, name)
			}
			conn.Close()
		}
		if err != nil && !strings.Contains(err.Error(), "protocol") {
			t.Error(err)
		}
	}
}

// Configurations that would let strangers in, or reach nobody, are errors that name
// the field and say what to do.
func TestRemote_Config(t *testing.T) {
	authority := newRemoteAuthority(t)
	edited := func(edit func(*tls.Config)) *tls.Config {
		c := authority.config("node")
		edit(c)
		return c
	}
	for name, c := range map[string]struct {
		cfg  remoteConfig
		want string
	}{
		"not an address":     {remoteConfig{Listen: "here"}, "Config.Listen"},
		"port":               {remoteConfig{Listen: "127.0.0.1:70000"}, "Config.Listen"},
		"wildcard":           {remoteConfig{Listen: ":0", TLS: authority.config("n")}, "set Advertise"},
		"wildcard v4":        {remoteConfig{Listen: "0.0.0.0:0", TLS: authority.config("n")}, "set Advertise"},
		"wildcard v6":        {remoteConfig{Listen: "[::]:0", TLS: authority.config("n")}, "set Advertise"},
		"wildcard, no TLS":   {remoteConfig{Listen: ":0", Advertise: "n:1"}, "set TLS"},
		"wildcard, no TLS 4": {remoteConfig{Listen: "0.0.0.0:0", Advertise: "n:1"}, "set TLS"},
		"other, no TLS":      {remoteConfig{Listen: "192.0.2.1:0"}, "set TLS"},
		"mapped, no TLS":     {remoteConfig{Listen: "[::ffff:192.0.2.1]:0"}, "set TLS"},
		"advertise":          {remoteConfig{Advertise: "n"}, "Config.Advertise"},
		"advertise nobody":   {remoteConfig{Advertise: ":80"}, "Config.Advertise"},
		"advertise no port":  {remoteConfig{Advertise: "n:0"}, "Config.Advertise"},
		"packet":             {remoteConfig{MaxPacket: -1}, "Config.MaxEvent"},
		"no certificate":     {remoteConfig{TLS: &tls.Config{RootCAs: authority.pool}}, "set Certificates or GetCertificate"},
		"no client's":        {remoteConfig{TLS: edited(func(c *tls.Config) { c.Certificates, c.GetCertificate = nil, noCertificate })}, "GetClientCertificate"},
		"no authority":       {remoteConfig{TLS: edited(func(c *tls.Config) { c.RootCAs = nil })}, "set RootCAs"},
		"skips":              {remoteConfig{TLS: edited(func(c *tls.Config) { c.InsecureSkipVerify = true })}, "InsecureSkipVerify"},
		"replaced":           {remoteConfig{TLS: edited(func(c *tls.Config) { c.GetConfigForClient = noConfig })}, "GetConfigForClient"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newRemote(c.cfg)
			if err == nil {
				_, err = r.Start(deadline(t), &remoteListener{t: t})
			}
			wantError(t, err, ErrConfig, c.want)
		})
	}
	user := authority.config("node")
	r, err := newRemote(remoteConfig{TLS: user, Listen: "node.example:4000"})
	if err != nil {
		t.Fatal(err)
	}
	if s := r.cfg.server; s.ClientAuth != tls.RequireAndVerifyClientCert || s.ClientCAs != authority.pool || s.MinVersion != tls.VersionTLS12 {
		t.Errorf("the server demands %v of %v", s.ClientAuth, s.ClientCAs)
	}
	if user.ClientAuth != tls.NoClientCert {
		t.Error("the user's configuration is changed")
	}
	if got := r.cfg.advertised(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4000}); got != "node.example:4000" {
		t.Errorf("advertised %q", got)
	}
}

func noCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
func noConfig(*tls.ClientHelloInfo) (*tls.Config, error)           { return nil, nil }

// Listening: names and version 6 of loopback, what is advertised, twice, taken.
func TestRemote_Listen(t *testing.T) {
	for listen, want := range map[string]string{"": "127.0.0.1:", "localhost:0": "localhost:", "[::1]:0": "[::1]:"} {
		r, err := newRemote(remoteConfig{Listen: listen})
		if err != nil {
			t.Fatal(err)
		}
		at, err := r.Start(deadline(t), &remoteListener{t: t})
		if err != nil && listen == "[::1]:0" {
			t.Skip(err)
		}
		if err != nil || !strings.HasPrefix(at, want) || strings.HasSuffix(at, ":0") {
			t.Errorf("%q: %q %v, want %q", listen, at, err, want)
		}
		if _, err := r.Start(deadline(t), &remoteListener{t: t}); err == nil {
			t.Error("started twice")
		}
		other, _ := newRemote(remoteConfig{Listen: at})
		if _, err := other.Start(deadline(t), &remoteListener{t: t}); err == nil || !strings.Contains(err.Error(), "choose another") {
			t.Errorf("taken: %v", err)
		}
		_ = other.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	a := startRemote(t, remoteConfig{})
	b := startRemote(t, remoteConfig{Advertise: "b.example:4000"})
	if b.address != "b.example:4000" {
		t.Errorf("advertised %q", b.address)
	}
	for _, nowhere := range []string{"", "x", "127.0.0.1", ":", "dns:1", "unix:/tmp/x", "dns:///x", "%zz:1", "\x00:1", "127.0.0.1:0", "a b:1"} {
		a.Send(nowhere, hello("a"))
		if n := a.next("broken"); n.who != nowhere || n.err == nil {
			t.Errorf("%q: %+v", nowhere, n)
		}
	}
}

// Without TLS nothing leaves this machine, and nobody from elsewhere is let in.
func TestRemote_LoopbackOnly(t *testing.T) {
	a := startRemote(t, remoteConfig{})
	a.Send("192.0.2.1:4000", hello("a"))
	if n := a.next("broken"); !strings.Contains(n.err.Error(), "not on this machine") {
		t.Errorf("broken: %v", n.err)
	}
	refused := 0
	door := newRemoteDoor(nil, func(string, error) { refused++ })
	for _, c := range []struct {
		from string
		in   bool
	}{{"127.0.0.1:5", true}, {"[::1]:5", true}, {"[::ffff:127.0.0.1]:5", true}, {"192.0.2.1:5", false}, {"[fe80::1]:5", false}} {
		end, other := net.Pipe()
		conn, _, err := door.ServerHandshake(connFrom{end, c.from})
		if in := err == nil; in != c.in {
			t.Errorf("%s: %v", c.from, err)
		}
		if conn != nil {
			conn.Close()
		}
		other.Close()
	}
	if refused != 2 || len(door.guests) != 0 {
		t.Errorf("%d refused, %d inside", refused, len(door.guests))
	}
	var _ credentials.TransportCredentials = door
}

type connFrom struct {
	net.Conn
	from string
}

func (c connFrom) RemoteAddr() net.Addr { return addrFrom(c.from) }

type addrFrom string

func (addrFrom) Network() string  { return "tcp" }
func (a addrFrom) String() string { return string(a) }
