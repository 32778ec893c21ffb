package main

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// clusterTLS has the one certificate of all nodes. Nothing in it is left to chance, so
// that every process makes the same one, and trusts it.
var clusterTLS = sync.OnceValue(func() *tls.Config {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		DNSNames: []string{clusterClient, clusterServer}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der := must(x509.CreateCertificate(nil, template, template, key.Public(), key))
	pool := x509.NewCertPool()
	pool.AddCert(must(x509.ParseCertificate(der)))
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      pool, ClientCAs: pool,
	}
})

// grpcCredentials are those of peers that leave TLS to gRPC.
func grpcCredentials(secure bool) (server, client credentials.TransportCredentials) {
	if !secure {
		return insecure.NewCredentials(), insecure.NewCredentials()
	}
	c := clusterTLS().Clone()
	c.ClientAuth = tls.RequireAndVerifyClientCert
	return credentials.NewTLS(c), credentials.NewTLS(clusterTLS())
}
