package backend

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
)

// A proof is an HMAC-SHA256 with the shared secret over whose proof it is, both
// hellos as they were sent, and what ties it to the TLS connection. Both hellos
// have a nonce, so that no proof is good twice; all that was agreed is in them, so
// that nobody on the way changes it; and a proof for one end is none for the
// other.
func prove(secret []byte, who string, hello, answer, binding []byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range [][]byte{[]byte("usher backend 1"), []byte(who), hello, answer, binding} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return h.Sum(nil)
}

const (
	byClient = "client"
	byServer = "server"
)

// bindingOf is the same at both ends of one TLS connection and nowhere else
// (RFC 5705, RFC 9266); empty without TLS.
func bindingOf(conn net.Conn) ([]byte, error) {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return nil, nil
	}
	state := secure.ConnectionState()
	b, err := state.ExportKeyingMaterial("EXPORTER-usher-backend", nil, 32)
	if err != nil {
		return nil, fmt.Errorf("%w: TLS cannot be bound to: %w; use TLS 1.3", ErrRefused, err)
	}
	return b, nil
}

func newNonce() []byte {
	n := make([]byte, nonceSize)
	_, _ = rand.Read(n) // never fails
	return n
}
