package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

// deaf is a network whose connections take one write, and of the next say that they
// are broken. Whoever reads waits until they are closed.
type deaf struct{ kernel.Network }

func (deaf) Dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	return &deafConn{Conn: here, there: there}, nil
}

type deafConn struct {
	net.Conn
	there net.Conn
	mu    sync.Mutex
	wrote bool
}

func (c *deafConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrote {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	c.wrote = true
	return len(p), nil
}

func (c *deafConn) Close() error { _ = c.there.Close(); return c.Conn.Close() }

// TestTransport_BrokenWhileTheBodyIsSent: it is a lost connection, and no request that
// somebody cancelled, whoever notices first; what fails the body is the body's.
func TestTransport_BrokenWhileTheBodyIsSent(t *testing.T) {
	errBody := errors.New("no more of it")
	for name, c := range map[string]struct {
		body io.Reader
		is   []error
		not  error
	}{
		"connection": {strings.NewReader(strings.Repeat("much ", 10_000)), []error{httpclient.ErrConnectionLost, syscall.EPIPE}, context.Canceled},
		"body":       {failing{errBody}, []error{errBody}, httpclient.ErrConnectionLost},
	} {
		t.Run(name, func(t *testing.T) {
			rig := newTransportRig(t, keepalive.Config{}, deaf{})
			for range 50 {
				ctx, cancel := context.WithCancel(context.Background())
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://10.0.0.1/", struct{ io.Reader }{c.body})
				if err != nil {
					t.Fatal(err)
				}
				req.ContentLength = 50_000 // or it would be sent in chunks
				_, err = rig.client.Do(req)
				for _, want := range c.is {
					if !errors.Is(err, want) {
						t.Fatalf("got %v; want %v", err, want)
					}
				}
				if errors.Is(err, c.not) {
					t.Fatalf("got %v; want anything but %v", err, c.not)
				}
				cancel()
				if s, ok := c.body.(*strings.Reader); ok {
					_, _ = s.Seek(0, io.SeekStart)
				} else {
					break
				}
			}
			rig.holds(keepalive.Load{})
		})
	}
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
