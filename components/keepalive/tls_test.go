package keepalive

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
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

// tlsEcho is a TLS server that says what it knows of each client, and echoes lines.
func tlsEcho(t *testing.T, cfg *tls.Config) (port int, clients chan tls.ConnectionState, trust *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil) // for its certificate, which is for example.com and the loopback addresses
	s.StartTLS()
	s.Close()
	cfg.Certificates = s.TLS.Certificates
	trust = x509.NewCertPool()
	trust.AddCert(s.Certificate())
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	clients = make(chan tls.ConnectionState, 100)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if c.(*tls.Conn).Handshake() == nil {
					clients <- c.(*tls.Conn).ConnectionState()
					_, _ = io.Copy(c, c)
				}
			}()
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port, clients, trust
}

func TestA76_ALPNAndClientCertificates(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		server := &tls.Config{NextProtos: []string{"newer", "older"}, ClientAuth: tls.RequireAnyClientCert}
		port, clients, trust := tlsEcho(t, server)
		u := newUser(t, k, startPool(t, k, Config{TLS: &tls.Config{
			RootCAs: trust, NextProtos: []string{"strange", "older"}, Certificates: server.Certificates,
		}}))
		r := u.get(Request{Scheme: "https", Addr: "127.0.0.1", Port: port}) // by the certificate's address
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		if p := r.Conn.NetConn().(*tls.Conn).ConnectionState().NegotiatedProtocol; p != "older" {
			t.Errorf("the protocol is %q", p)
		}
		if s := <-clients; s.NegotiatedProtocol != "older" || len(s.PeerCertificates) != 1 || s.ServerName != "" {
			t.Errorf("the server sees %q, %d certificates, name %q", s.NegotiatedProtocol, len(s.PeerCertificates), s.ServerName)
		}
	})
}

// TestA18_A76_NameOfTheTarget: behind a proxy it is the target's name that counts.
func TestA18_A76_NameOfTheTarget(t *testing.T) {
	port, clients, trust := tlsEcho(t, &tls.Config{})
	k := running(t, kernel.Parallel)
	for name, tc := range map[string]struct {
		cfg  *tls.Config
		to   Request
		want string // the server's name, empty for a failed handshake
	}{
		"Addr":       {&tls.Config{}, Request{Addr: "example.com"}, "example.com"},
		"ForAddr":    {&tls.Config{}, Request{Addr: "127.0.0.1", ForAddr: "example.com"}, "example.com"},
		"another":    {&tls.Config{}, Request{Addr: "example.com", ForAddr: "wrong.example"}, ""},
		"ServerName": {&tls.Config{ServerName: "example.com"}, Request{Addr: "127.0.0.1", ForAddr: "wrong.example"}, "example.com"},
	} {
		tc.cfg.RootCAs = trust
		u := newUser(t, k, startPool(t, k, Config{TLS: tc.cfg, Resolver: static{"example.com": {"127.0.0.1"}}}))
		tc.to.Scheme, tc.to.Port = "https", port
		r := u.get(tc.to)
		var wrong x509.HostnameError
		switch {
		case tc.want == "" && (r.Function != "sslify" || !errors.As(r.Err, &wrong)):
			t.Errorf("%s: got %+v", name, r)
		case tc.want == "":
		case r.Err != nil:
			t.Errorf("%s: %v", name, r.Err)
		default:
			if s := <-clients; s.ServerName != tc.want {
				t.Errorf("%s: the server is asked for %q", name, s.ServerName)
			}
		}
	}
}

// TestA76_HandshakeHoldsNobodyUp: while a peer is silent others are served, until
// Config.HandshakeTimeout.
func TestA42_A76_HandshakeHoldsNobodyUp(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		silent, conns := accepting(t)
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{HandshakeTimeout: 500 * time.Millisecond, MaxPerHost: 1}))
		u.do(func(c *kernel.Context) error {
			_, err := u.pool.Allocate(c, Request{Scheme: "https", Addr: "127.0.0.1", Port: silent, Event: evGot})
			return err
		})
		if r := u.get(Request{Addr: "127.0.0.1", Port: e.port()}); r.Err != nil || r.Scheme != "test" {
			t.Fatalf("got %+v", r)
		} else {
			_ = r.Conn.Close()
		}
		r := u.take()
		if r.Function != "sslify" || !errors.Is(r.Err, ErrTimeout) || !strings.Contains(r.Err.Error(), "Config.HandshakeTimeout of 500ms passed") {
			t.Errorf("got %+v", r)
		}
		u.empties()
		c := <-conns
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, syscall.ECONNRESET) { // its first words, and the end
			t.Errorf("the connection does not end: %v", err)
		}
		c.Close()
	})
}

// TestA76_NoTLSInSimulatedMode: that is said at once.
func TestA76_NoTLSInSimulatedMode(t *testing.T) {
	simulating(t, Config{}, func(s *sim) {
		s.do(func(c *kernel.Context) error {
			_, err := s.pool.Allocate(c, Request{Scheme: "https", Addr: "10.0.0.1", Port: 443, Event: evGot})
			if !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "TLS needs goroutines") {
				t.Errorf("got %v", err)
			}
			return nil
		})
	})
}
