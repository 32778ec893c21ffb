package backend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	a.key = a.newKey()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert = a.sign(template, template, &a.key.PublicKey)
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) certificate(name string, until time.Duration) tls.Certificate {
	key := a.newKey()
	cert := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(until),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// quiet is running, for peers that are refused.
func quiet(t *testing.T) (*kernel.Kernel, chan string) {
	t.Helper()
	reports := make(chan string, 100)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Failed:   func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
		Reported: func(_, cause string, err error) { reports <- cause + ": " + err.Error() },
	}})
	kerneltest.Start(t, k)
	return k, reports
}

// refused wants a Connect to fail: for that reason, or, if its first attempt was
// over before it waited, because that one had failed.
func refused(t *testing.T, k *kernel.Kernel, cfg Config, want string) {
	t.Helper()
	cfg.Alias = fmt.Sprint("refused ", lastAlias.Add(1))
	_, err := Connect(deadline(t), k, cfg)
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "too many attempts failed") {
		t.Errorf("got %v; want a refusal with %q", err, want)
	}
}

// reported waits for a report with each of these.
func reported(t *testing.T, reports chan string, want ...string) {
	t.Helper()
	for len(want) > 0 {
		select {
		case got := <-reports:
			want = slices.DeleteFunc(want, func(w string) bool { return strings.Contains(got, w) })
		case <-deadline(t).Done():
			t.Fatalf("never reported: %q", want)
		}
	}
}

var lastAlias atomic.Int64

// works wants a Connect to succeed, and a request.
func works(t *testing.T, k *kernel.Kernel, cfg Config) *Conn {
	t.Helper()
	cfg.Alias = fmt.Sprint("works ", lastAlias.Add(1))
	c := connect(t, k, cfg)
	if v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{4}}); err != nil || number(v, 0) != 8 {
		t.Fatalf("%v, %v", v, err)
	}
	return c
}

// TestB18_SharedSecret, with TLS and without: good ones work, others are refused
// with a reason, and do not disturb.
func TestB18_SharedSecret(t *testing.T) {
	a := newAuthority(t)
	for name, tlsOn := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			k, reports := quiet(t)
			server, client := ServerConfig{Secrets: secrets}, knows
			if tlsOn {
				server.TLS = &tls.Config{Certificates: []tls.Certificate{a.certificate("server", time.Hour)}}
				client.TLS = &tls.Config{RootCAs: a.pool}
			}
			s := doubler(t, k, server)
			client.Port = port(s)
			good := works(t, k, client)
			st, err := s.Status()
			if err != nil || st[0].Identity != (Identity{"shop", "secret"}) {
				t.Errorf("known as %+v, %v", st, err)
			}
			client.Serializer = JSON
			works(t, k, client)
			bad := client
			bad.Secret = []byte("guess")
			refused(t, k, bad, "wrong secret")
			refused(t, k, bad, "wrong secret") // it comes back at once
			reported(t, reports, "wrong secret", "too many attempts failed")
			bad.User, bad.Secret = "", nil
			refused(t, k, bad, "the server wants a secret")
			if _, err := good.Request(deadline(t), Message{Name: "double", Args: []any{4}}); err != nil {
				t.Errorf("the good one: %v", err)
			}
		})
	}
}

// TestB18_NothingBeforeAuthentication: frames instead of a proof are no proof.
func TestB18_NothingBeforeAuthentication(t *testing.T) {
	k, reports := quiet(t)
	s := doubler(t, k, ServerConfig{Secrets: secrets})
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	ping, err := aDialect(t, Protobuf, true).encode(pingFrame)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(append(helloLine(Protobuf), ping...)); err != nil {
		t.Fatal(err)
	}
	if report := <-reports; !strings.Contains(report, "what comes are no frames") {
		t.Errorf("reported %q", report)
	}
	until(t, "it is gone", func() bool { st, err := s.State(); return err == nil && st.Connections == 0 })
	if st, _ := s.Status(); st[0].Received != 0 {
		t.Errorf("%+v: something was accepted", st)
	}
}

// TestB18_ClientCertificates: who has one is known by it; no other, and no one
// whose time is over, is let in; the server's is exchanged while it runs.
func TestB18_ClientCertificates(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	k, _ := quiet(t)
	var own atomic.Pointer[tls.Certificate]
	first := a.certificate("first", time.Hour)
	own.Store(&first)
	s := doubler(t, k, ServerConfig{
		Serializers: []Serializer{Protobuf, Storable},
		TLS: &tls.Config{
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own.Load(), nil },
			ClientAuth:     tls.RequireAndVerifyClientCert, ClientCAs: a.pool,
		},
		Allow: Permissions(map[string]Rights{"shop": {Register: {"*"}, SendTo: {"web"}}}),
	})
	with := func(c tls.Certificate) Config {
		return Config{Port: port(s), Timeout: 300 * time.Millisecond, TLS: &tls.Config{RootCAs: a.pool, Certificates: []tls.Certificate{c}}}
	}
	good := with(a.certificate("shop", time.Hour))
	good.Timeout = 0
	c := works(t, k, good)
	if st, err := s.Status(); err != nil || st[0].Identity != (Identity{"shop", "certificate"}) {
		t.Errorf("known as %+v, %v", st, err)
	}
	good.Serializer = Storable
	works(t, k, good)
	for what, cfg := range map[string]Config{
		"expired": with(a.certificate("shop", -time.Minute)), "another authority's": with(stranger.certificate("shop", time.Hour)),
		"none": {Port: port(s), Timeout: 300 * time.Millisecond, TLS: &tls.Config{RootCAs: a.pool}},
	} {
		cfg.Alias = what
		if _, err := Connect(deadline(t), k, cfg); err == nil {
			if _, err = Connect(deadline(t), k, cfg); err == nil {
				t.Errorf("%s: let in", what)
			}
		}
	}
	second := a.certificate("second", time.Hour)
	own.Store(&second)
	fresh := good
	fresh.Serializer = Protobuf
	seen := make(chan string, 10)
	fresh.TLS = fresh.TLS.Clone()
	fresh.TLS.VerifyConnection = func(state tls.ConnectionState) error {
		seen <- state.PeerCertificates[0].Subject.CommonName
		return nil
	}
	works(t, k, fresh)
	if name := <-seen; name != "second" {
		t.Errorf("the server shows the certificate of %q", name)
	}
	if _, err := c.Request(deadline(t), Message{Name: "double", Args: []any{4}}); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestB18_AuthHook decides last, may take its time and no longer, and fail.
func TestB18_AuthHook(t *testing.T) {
	for name, tc := range map[string]struct {
		auth func(context.Context, Peer) (Identity, error)
		want string
	}{
		"yes":   {auth: func(_ context.Context, p Peer) (Identity, error) { return Identity{Name: p.User + "!"}, nil }},
		"no":    {auth: func(context.Context, Peer) (Identity, error) { return Identity{}, errors.New("no reason") }, want: "not let in"},
		"panic": {auth: func(context.Context, Peer) (Identity, error) { panic("oops") }, want: "not let in"},
		"slow": {auth: func(ctx context.Context, _ Peer) (Identity, error) {
			<-ctx.Done()
			return Identity{}, ctx.Err()
		}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := quiet(t)
			server := ServerConfig{Secrets: secrets, Auth: tc.auth}
			if name == "slow" {
				server.HelloTimeout = 100 * time.Millisecond
			}
			s := doubler(t, k, server)
			cfg := knows
			cfg.Port = port(s)
			if name == "yes" {
				works(t, k, cfg)
				if st, err := s.Status(); err != nil || st[0].Identity != (Identity{"shop!", "auth"}) {
					t.Errorf("known as %+v, %v", st, err)
				}
				return
			}
			if tc.want != "" {
				refused(t, k, cfg, tc.want)
				return
			}
			cfg.Timeout = 500 * time.Millisecond
			if _, err := Connect(deadline(t), k, cfg); err == nil {
				t.Error("let in")
			}
		})
	}
}

// TestB18_PerlWaitsAfterFailedAttempts like others, although it says no hello.
func TestB18_PerlWaitsAfterFailedAttempts(t *testing.T) {
	k, reports := quiet(t)
	s := doubler(t, k, ServerConfig{Serializers: []Serializer{Storable}, Auth: func(context.Context, Peer) (Identity, error) {
		t.Error("ServerConfig.Auth was asked")
		return Identity{}, nil
	}})
	for range 10 { // until it is maxPenalty
		if _, err := k.Call(deadline(t), s.self, evPenalty.Name(), penaltyAsk{from: "127.0.0.1", failed: true}); err != nil {
			t.Fatal(err)
		}
	}
	r := dialBare(t, s)
	if _, err := r.Write([]byte("1")); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d, %v; want that it is closed", n, err)
	}
	reported(t, reports, "too many attempts failed")
}

// TestB18_WhatComesEarlyWaits: a client need not wait for ServerConfig.Auth before
// it sends on.
func TestB18_WhatComesEarlyWaits(t *testing.T) {
	k, _ := quiet(t)
	asked, decide := make(chan Peer), make(chan Identity)
	s := doubler(t, k, ServerConfig{Auth: func(_ context.Context, p Peer) (Identity, error) { asked <- p; return <-decide, nil }})
	r := dialBare(t, s)
	ping, err := aDialect(t, Protobuf, true).encode(pingFrame)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(append(helloLine(Protobuf), ping...)); err != nil {
		t.Fatal(err)
	}
	if p := <-asked; p.Addr.String() != r.LocalAddr().String() || p.Serializer != Protobuf {
		t.Errorf("asked about %+v", p)
	}
	if st, err := s.Status(); err != nil || st[0].Received != 0 {
		t.Errorf("%+v, %v", st, err)
	}
	decide <- Identity{Name: "x"}
	r.line()
	if f := r.next(); f.Name != evPong || f.ReplyTo != pingFrame.ID {
		t.Errorf("got %+v", f)
	}
}

// TestB18_Permissions: what a client may not do is refused, and told.
func TestB18_Permissions(t *testing.T) {
	simulating(t, ServerConfig{
		Secrets: secrets,
		Allow: Permissions(map[string]Rights{
			"shop": {Register: {"a"}, SendTo: {"ears"}},
			"desk": {Register: {"*"}},
		}),
	}, func(w *world) {
		shop, desk := knows, Config{User: "desk", Secret: secrets["desk"]}
		shop.PingTimeout, desk.PingTimeout = -1, -1
		a, _ := w.client("a", shop), w.client("ears", desk)
		w.client("other", shop)
		w.pass(100 * time.Millisecond)
		st, err := w.server.State()
		if err != nil || fmt.Sprint(st.Services) != "map[a:1 ears:1]" {
			w.Errorf("registered are %v, %v", st.Services, err)
		}
		for _, m := range []Message{
			{Name: "news", To: "EARS", Args: []any{1}}, {Name: "news", To: Everyone, Args: []any{2}}, {Name: "news", To: "desk", Args: []any{3}},
			{Name: "x", Client: "bob"},
		} {
			if err := a.Send(m); err != nil {
				w.Fatal(err)
			}
		}
		w.heard("ears [1]")
		tx := w.begin(a)
		if err := tx.Send(Message{Name: "news", To: Everyone}); err != nil {
			w.Fatal(err)
		}
		if err := w.commit(tx); !errors.Is(err, ErrDenied) {
			w.Errorf("a transaction: %v", err)
		}
	})
}

// TestOpenToTheWorld is refused; what is known, or on this machine, is not.
func TestOpenToTheWorld(t *testing.T) {
	secured := &tls.Config{Certificates: make([]tls.Certificate, 1), ClientAuth: tls.RequireAndVerifyClientCert}
	for name, tc := range map[string]struct {
		cfg ServerConfig
		ok  bool
	}{
		"any address":          {ServerConfig{Listen: "0.0.0.0:0"}, false},
		"any address, IPv6":    {ServerConfig{Listen: "[::]:0"}, false},
		"a name":               {ServerConfig{Listen: "db.example:1"}, false},
		"TLS alone":            {ServerConfig{Listen: "0.0.0.0:0", TLS: &tls.Config{}}, false},
		"loopback":             {ServerConfig{Listen: "127.0.0.5:0"}, true},
		"loopback, IPv6":       {ServerConfig{Listen: "[::1]:0"}, true},
		"localhost":            {ServerConfig{Listen: "localhost:0"}, true},
		"nothing":              {ServerConfig{}, true},
		"unix":                 {ServerConfig{Network: "unix", Listen: "/x"}, true},
		"secrets":              {ServerConfig{Listen: "0.0.0.0:0", Secrets: secrets}, true},
		"no secret in them":    {ServerConfig{Secrets: map[string][]byte{"a": nil}}, false},
		"certificates":         {ServerConfig{Listen: "0.0.0.0:0", TLS: secured}, true},
		"a hook":               {ServerConfig{Listen: "0.0.0.0:0", Auth: func(context.Context, Peer) (Identity, error) { return Identity{}, nil }}, true},
		"Storable and secrets": {ServerConfig{Secrets: secrets, Serializers: []Serializer{Protobuf, Storable}}, false},
	} {
		if _, err := tc.cfg.complete(); (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
