package wheeltest_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/wheeltest"
	"golang.org/x/net/nettest"
)

// The blocking face is that of any net.Conn.
func TestConn_IsANetConn(t *testing.T) {
	for _, tt := range []struct {
		name, network, address string
		cfg                    wheeltest.Config
	}{
		{"tcp", "tcp", "127.0.0.1:0", wheeltest.Config{}},
		{"unix", "unix", "socket", wheeltest.Config{}},
		{"delayed", "tcp", "127.0.0.1:0", wheeltest.Config{Link: wheeltest.Link{Delay: 10 * time.Microsecond, Jitter: 50 * time.Microsecond}}},
		{"narrow", "tcp", "127.0.0.1:0", wheeltest.Config{Buffer: 5000, Segment: 1000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := wheeltest.New(tt.cfg)
			nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
				a, b = dialled(t, n, tt.network, tt.address)
				return a, b, func() { _ = a.Close(); _ = b.Close() }, nil
			})
			n.Check(t)
		})
	}
}

// dialled returns both ends of a connection over a network, in memory or real.
func dialled(t *testing.T, n kernelNetwork, network, address string) (client, server net.Conn) {
	t.Helper()
	if _, real := n.(systemNetwork); real && network == "unix" && !filepath.IsAbs(address) {
		address = filepath.Join(t.TempDir(), address)
	}
	l, err := n.Listen(context.Background(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = n.Dial(context.Background(), network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}
