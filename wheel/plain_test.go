package wheel_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// secure returns a TLS connection over a real socket, server end first.
func secure(t *testing.T) (net.Conn, *peer) {
	t.Helper()
	srv := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer srv.Close()
	trust := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com"
	near, far := connect(t, "tcp")
	client := tls.Client(far.Conn, trust)
	_ = client.SetDeadline(time.Now().Add(patience))
	return tls.Server(near, &tls.Config{Certificates: srv.TLS.Certificates}), &peer{client, t}
}

func piped(t *testing.T) (net.Conn, *peer) {
	near, far := net.Pipe()
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	_ = far.SetDeadline(time.Now().Add(patience))
	return near, &peer{far, t}
}

// Connections without a descriptor of their own go through their methods. What
// is unsent when the peer has finished is still sent, in good order.
func TestPlainConnections(t *testing.T) {
	for name, pair := range map[string]func(*testing.T) (net.Conn, *peer){"tls": secure, "pipe": piped} {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				conn, far := pair(t)
				h := newHost(t, conn)
				answer := strings.Repeat("a", 300_000)
				h.line = func(_ *kernel.Context, s string) error {
					h.note("line %s", s)
					if s == "bye" {
						h.must(h.rw.Put(answer))
						h.rw.CloseFlushed()
					}
					return nil
				}
				beside(t, func() {
					far.send("hello\nworld\n")
					far.send("bye\n")
					if got := far.rest(); got != answer+"\r\n" {
						t.Errorf("peer got %d bytes, want %d", len(got), len(answer)+2)
					}
					_ = far.Close()
				})
				run(t, k, h.session())
				h.want("line hello", "line world", "line bye", "closed nil")
			})
		})
	}
}

// Close must not wait for a TLS peer that takes nothing.
func TestW2_CloseOfAStuckTLSConnection(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := secure(t)
		h := newHost(t, conn)
		h.line = func(*kernel.Context, string) error {
			h.must(h.rw.Put(strings.Repeat("x", 8<<20)))
			began := time.Now()
			h.rw.Close()
			if took := time.Since(began); took > 4500*time.Millisecond { // tls.Conn.Close waits for 5
				t.Errorf("Close took %v", took)
			}
			return nil
		}
		beside(t, func() { far.send("go\n") })
		run(t, k, h.session())
		h.want()
	})
}
