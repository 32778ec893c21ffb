package keepalive

import (
	"bufio"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// secure is an HTTPS server, and a Config that trusts it.
func secure(t *testing.T) (port int, cfg Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello over ", r.Proto)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).Port, Config{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig, MaxPerHost: 1}
}

func (u *user) secure(port int) Response {
	u.t.Helper()
	u.do(func(c *kernel.Context) error {
		_, err := u.pool.Allocate(c, Request{Scheme: "https", Addr: "127.0.0.1", Port: port, Event: evGot})
		return err
	})
	return u.take()
}

func TestA19_A76_R5_SecureConnections(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		port, cfg := secure(t)
		u := newUser(t, k, startPool(t, k, cfg))
		for i, tc := range []struct {
			read int // bytes of the answer; 0 for all
			from string
		}{
			{0, ""}, {0, "immediate"},
			{1, "immediate"}, // the rest was decrypted and nobody read it: no descriptor shows that
			{0, ""},
		} {
			r := u.secure(port)
			if r.Err != nil || r.FromCache != tc.from {
				t.Fatalf("request %d: %+v", i, r)
			}
			conn := r.Conn.NetConn()
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if tc.read > 0 {
				if _, err := io.ReadFull(conn, make([]byte, tc.read)); err != nil {
					t.Fatal(err)
				}
			} else {
				a, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				if b, err := io.ReadAll(a.Body); err != nil || string(b) != "hello over HTTP/1.1" {
					t.Fatalf("got %q, %v", b, err)
				}
			}
			if err := r.Conn.Release(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestA76_FailedHandshakeFreesItsPlace, with the step and the cause.
func TestA41_A76_FailedHandshakeFreesItsPlace(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		port, _ := secure(t)
		u := newUser(t, k, startPool(t, k, Config{MaxPerHost: 1})) // trusts only the system's roots
		for range 3 {
			r := u.secure(port)
			var unknown x509.UnknownAuthorityError
			if r.Function != "sslify" || !errors.As(r.Err, &unknown) {
				t.Fatalf("got %+v", r)
			}
		}
		silent, _ := accepting(t)
		u.do(func(c *kernel.Context) error {
			_, err := u.pool.Allocate(c, Request{Scheme: "https", Addr: "127.0.0.1", Port: silent, Event: evGot, Timeout: 20 * time.Millisecond})
			return err
		})
		if r := u.take(); r.Function != "connect" || !errors.Is(r.Err, syscall.ETIMEDOUT) {
			t.Fatalf("got %+v", r)
		}
		until(t, "the attempt has ended", func() bool { s, err := u.pool.Stats(); return err == nil && s.Load == (Load{}) })
	})
}
