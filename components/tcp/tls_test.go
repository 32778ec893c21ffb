package tcp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// identity is a certificate of 127.0.0.1, and those who trust it.
type identity struct {
	server, client *tls.Config
	cert, key      string // as PEM files
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	id := identity{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	for file, block := range map[string]*pem.Block{id.cert: {Type: "CERTIFICATE", Bytes: der}, id.key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own, err := tls.LoadX509KeyPair(id.cert, id.key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(own.Leaf)
	id.server = &tls.Config{Certificates: []tls.Certificate{own}}
	id.client = &tls.Config{RootCAs: trusted}
	return id
}

func TestTLSBothEnds(t *testing.T) {
	id := newIdentity(t)
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := serverConfig{TLS: id.server, ClientInput: echo, ClientError: func(*kernel.Context, *conn, *wheel.Error) error { return nil }}
		s := r.server(cfg)
		cc := r.notedClient(s.Addr())
		cc.PreConnect, cc.TLS = nil, id.client
		cc.Connected = func(_ *kernel.Context, conn *conn) error {
			_, secured := conn.NetConn().(*tls.Conn)
			r.note("connected %v %v", secured, conn.RemoteAddrPort().IsValid())
			return conn.Put("hello")
		}
		cc.ServerInput = func(_ *kernel.Context, conn *conn, line string) error {
			r.note("input %s", line)
			conn.Shutdown()
			return nil
		}
		cl := r.client(cc)
		r.ended(cl.Session())
		r.want("started", "connected true true", "input hello", "disconnected nil")
	})
}

// A handshake that fails is told to both, and the server goes on.
func TestTLSHandshakeFails(t *testing.T) {
	id := newIdentity(t)
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.TLS = id.server
		cfg.Error = func(_ *kernel.Context, e *wheel.Error) error { r.note("server: %s", e.Op); return nil }
		s := r.server(cfg)
		cc := r.notedClient(s.Addr())
		cc.Started, cc.TLS = nil, &tls.Config{} // trusts nobody we know
		cc.ConnectError = func(_ *kernel.Context, _ *conn, e *wheel.Error) error {
			var unknown x509.UnknownAuthorityError
			r.note("client: %s %v", e.Op, errors.As(e, &unknown))
			return nil
		}
		cl := r.client(cc)
		r.await("client: handshake true")
		r.await("server: handshake")
		r.ended(cl.Session())
		p := r.dial(s.Addr())
		p.send("this is no TLS\n")
		p.hungUp()
		r.await("server: handshake", 2)
		nc, err := tls.Dial("tcp", s.Addr().String(), id.client)
		if err != nil {
			t.Fatal(err)
		}
		q := newPeer(t, nc)
		q.send("hello\n")
		q.line("hello")
	})
}

func TestInteropOpensslClient(t *testing.T) {
	id := newIdentity(t)
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := capitals(r)
		cfg.TLS = id.server
		s := r.server(cfg)
		p := start(t, "openssl", "openssl", "s_client", "-quiet", "-verify_quiet", "-verify_return_error", "-CAfile", id.cert, "-connect", s.Addr().String())
		p.say("hello\n")
		if got := p.line(); got != "HELLO" {
			t.Errorf("got %q", got)
		}
		p.say("bye\n")
		if got := p.line(); got != "BYE" {
			t.Errorf("got %q", got)
		}
		r.await("disconnected nil")
	})
}

func TestInteropOpensslServer(t *testing.T) {
	id := newIdentity(t)
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		at := nobody(t)
		p := start(t, "openssl", "openssl", "s_server", "-quiet", "-naccept", "1", "-cert", id.cert, "-key", id.key, "-accept", at.String())
		cfg := r.notedClient(at)
		cfg.PreConnect, cfg.TLS = nil, id.client
		cfg.Reconnect = tcp.ReconnectPolicy{Attempts: tcp.NoLimit, Min: 10 * time.Millisecond, Max: 10 * time.Millisecond}
		cfg.ConnectError = func(*kernel.Context, *conn, *wheel.Error) error { return nil } // it does not listen yet
		cfg.Connected = func(_ *kernel.Context, conn *conn) error { return conn.Put("hello") }
		cfg.ServerInput = func(_ *kernel.Context, conn *conn, line string) error {
			r.note("input %s", line)
			conn.Shutdown()
			return nil
		}
		r.client(cfg)
		if got := p.line(); got != "hello" {
			t.Errorf("got %q", strings.TrimSpace(got))
		}
		p.say("welcome\n")
		r.await("input welcome")
		r.await("disconnected nil")
	})
}
