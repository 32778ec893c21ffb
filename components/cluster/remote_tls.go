package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"

	"google.golang.org/grpc/credentials"
	grpcpeer "google.golang.org/grpc/peer"
)

// mutualTLS makes the two ends' configurations of the user's.
func mutualTLS(own *tls.Config) (server, client *tls.Config, err error) {
	authorities := own.ClientCAs
	if authorities == nil {
		authorities = own.RootCAs
	}
	switch {
	case len(own.Certificates) == 0 && own.GetCertificate == nil:
		return nil, nil, remoteConfigError("TLS has no certificate for peers that connect; set Certificates or GetCertificate")
	case len(own.Certificates) == 0 && own.GetClientCertificate == nil:
		return nil, nil, remoteConfigError("TLS has no certificate to connect with; set Certificates or GetClientCertificate")
	case authorities == nil:
		return nil, nil, remoteConfigError("TLS names no authority, so that anybody's certificate would do; set RootCAs to the cluster's own")
	case own.InsecureSkipVerify:
		return nil, nil, remoteConfigError("TLS.InsecureSkipVerify lets anybody pass for a node; leave it out and set RootCAs")
	case own.GetConfigForClient != nil:
		return nil, nil, remoteConfigError("TLS.GetConfigForClient would replace what is demanded of peers; use GetCertificate, or VerifyConnection")
	}
	server = own.Clone()
	server.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	server.ClientAuth = tls.RequireAndVerifyClientCert
	server.ClientCAs = authorities
	// Nodes connect seldom. A full handshake looks at the certificate each time.
	server.SessionTicketsDisabled = true

	client = own.Clone()
	client.MinVersion = server.MinVersion
	if client.RootCAs == nil {
		client.RootCAs = authorities
	}
	return server, client, nil
}

// provenNames says who a peer is: the DNS names of its certificate, or its common name
// if it has none. Nil without TLS.
func provenNames(ctx context.Context) ([]string, error) {
	p, _ := grpcpeer.FromContext(ctx)
	if p == nil {
		return nil, nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil, nil
	}
	if len(info.State.VerifiedChains) == 0 {
		return nil, errors.New("no certificate that has been verified")
	}
	return certifiedNames(info.State.VerifiedChains[0][0]), nil
}

// certifiedNames is never nil.
func certifiedNames(c *x509.Certificate) []string {
	switch {
	case len(c.DNSNames) > 0:
		return c.DNSNames
	case c.Subject.CommonName != "":
		return []string{c.Subject.CommonName}
	}
	return []string{}
}
