package etcd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes one that is its own authority, and good for both ends.
func certificate(t *testing.T) (both *tls.Config, certFile, keyFile string) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "etcd"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))(t)})
	certFile, keyFile = filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
	for file, data := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	pair := must(tls.X509KeyPair(certPEM, keyPEM))(t)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, certFile, keyFile
}

func TestTLS_Mutual(t *testing.T) {
	t.Parallel()
	needEtcd(t)
	both, certFile, keyFile := certificate(t)
	s := ownServers(t, 1, both,
		"--cert-file", certFile, "--key-file", keyFile, "--trusted-ca-file", certFile, "--client-cert-auth")[0]
	w := newTown(t, s)
	for _, scheme := range []string{"", "https://"} {
		a := w.prepare("a")
		cfg := a.config()
		cfg.TLS, cfg.Endpoints[0] = both, scheme+cfg.Endpoints[0]
		if err := a.join(cfg); err != nil {
			t.Fatal(err)
		}
		a.claim(1)
		a.awaitOwner(1)
		if err := a.leave(); err != nil {
			t.Fatal(err)
		}
	}
	// Neither gets in, and where the fault is on this side the error says so.
	for why, wrong := range map[string]*tls.Config{
		"":       {RootCAs: both.RootCAs},                                        // no certificate of its own
		"x509: ": {RootCAs: x509.NewCertPool(), Certificates: both.Certificates}, // does not trust etcd's
	} {
		b := w.prepare("b")
		cfg := b.config()
		cfg.TLS = wrong
		ctx, cancel := context.WithCancel(context.Background())
		b.onFailure = func(error) { cancel() }
		if _, err := Directory(cfg).Join(ctx, b.self, b); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v", err)
		}
		cancel()
	}
}
