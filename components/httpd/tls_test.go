package httpd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// writePair makes a self-signed certificate of that name, and its key.
func writePair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func tlsConfig(t *testing.T) *tls.Config {
	t.Helper()
	cert, err := httpd.LoadCertificate(writePair(t, t.TempDir(), "one.test"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{GetCertificate: cert.Get}
}

// insecure trusts everybody; who is there is not what these tests ask.
var insecure = &tls.Config{InsecureSkipVerify: true}

func dialTLS(t *testing.T, s *httpd.Server) *peer {
	t.Helper()
	nc, err := tls.Dial("tcp", s.Addrs()[0].String(), insecure)
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

func TestH9_H34_H68_H72_TLS(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{TLS: tlsConfig(t), KeepAlive: true}, pages{"foo": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			if a.Connection.TLS() == nil || a.Connection.TLS().Version < tls.VersionTLS12 {
				t.Error("no TLS")
			}
			fmt.Fprintf(a, "%s %s %s", q.Proto, a.Connection.Cipher(), q.URL)
			a.Done()
			return nil
		}})
		p := dialTLS(t, s)
		p.get("/foo")
		at := strings.Replace(s.Addrs()[0].String(), "127.0.0.1", "server.test", 1)
		p.want(200, "HTTP/1.1 "+tls.CipherSuiteName(p.Conn.(*tls.Conn).ConnectionState().CipherSuite)+" https://"+at+"/foo")
	})
}

func TestH62_HTTP2(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.streamer(r.logs(httpd.Config{TLS: tlsConfig(t), KeepAlive: true}))
		tr := &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: true}
		defer tr.CloseIdleConnections()
		client := &http.Client{Transport: tr, Timeout: patience}
		for path, want := range map[string]string{"/foo": "hello", "/stream": "<3><<<rest", "/stream?close": "<3><<<", "/nothing": "404 Not Found\n"} {
			a, err := client.Get("https://" + s.Addrs()[0].String() + path)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(a.Body)
			a.Body.Close()
			if err != nil || string(b) != want || a.ProtoMajor != 2 {
				t.Errorf("%s: %s %q, %v", path, a.Proto, b, err)
			}
		}
		if n := s.Stats().Accepted; n != 1 {
			t.Errorf("%d connections", n) // nothing of it ended the connection
		}
		tr.CloseIdleConnections()
		r.until("the connection ends", func() bool { return s.Stats().Connections == 0 })
		if n := r.count("error") + r.count("log nil"); n > 0 {
			t.Errorf("%q", r.entries())
		}
	})
}

// A graceful end answers what runs on a connection of HTTP/2, and what is asked there
// meanwhile.
func TestH89_HTTP2DuringAGracefulEnd(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	begun, end := make(chan bool), make(chan bool)
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) { begun <- true; <-end; _, _ = io.WriteString(w, "slow") })
	mux.HandleFunc("/fast", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fast") })
	s := r.serve(httpd.Config{TLS: tlsConfig(t), KeepAlive: true, Handler: mux}, pages{"foo": hello})
	tr := &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr, Timeout: patience}
	get := func(path, want string) {
		a, err := client.Get("https://" + s.Addrs()[0].String() + path)
		if err != nil {
			t.Error(err)
			return
		}
		defer a.Body.Close()
		if b, err := io.ReadAll(a.Body); err != nil || string(b) != want || a.ProtoMajor != 2 {
			t.Errorf("%s: %s %q, %v", path, a.Proto, b, err)
		}
	}
	slow := make(chan bool)
	go func() { get("/slow", "slow"); close(slow) }()
	<-begun
	if _, err := r.k.Call(t.Context(), s.Session(), httpd.Shutdown.Name(), true); err != nil {
		t.Fatal(err)
	}
	get("/fast", "fast")
	end <- true
	<-slow
	r.until("the connection ends", func() bool { return s.Stats().Connections == 0 })
}

func TestH32_MalformedTLS(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	s := r.serve(r.logs(httpd.Config{TLS: tlsConfig(t), KeepAlive: true}), pages{"foo": hello})
	for n, first := range []bool{true, false} {
		p := dialTLS(t, s)
		if !first {
			p.get("/foo")
			p.want(200, "hello")
		}
		p.send("nonsense\r\n\r\n")
		if a, _ := p.answer("GET"); a.StatusCode != 400 {
			t.Errorf("got %d", a.StatusCode)
		}
		p.closed()
		r.awaitN("error malformed request: 400", n+1)
	}
	p := dialTLS(t, s) // and who just leaves is none
	p.get("/foo")
	p.want(200, "hello")
	p.Close()
	r.until("it has left", func() bool { return s.Stats().Connections == 0 })
	if n := r.count("error") + r.count("log nil"); n != 4 {
		t.Errorf("%q", r.entries())
	}
}

func TestH94_Handshake(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{TLS: tlsConfig(t)}), pages{"foo": hello})
		p := dial(t, s)
		p.get("/foo") // in plain text (H10)
		p.want(400, "Client sent an HTTP request to an HTTPS server.\n")
		r.await("error TLS handshake failed: from 127.0.0.1:")
		p = dial(t, s)
		p.send("\x16\x03\x01nonsense that is no handshake")
		p.closed()
		r.awaitN("error TLS handshake failed: from 127.0.0.1:", 2)
		dial(t, s).Close() // a port check (H75)
		p = dialTLS(t, s)
		p.get("/foo")
		p.want(200, "hello")
		if n := r.count("error"); n != 2 {
			t.Errorf("%q", r.entries())
		}
	})
}

func TestH9_CertificateReload(t *testing.T) {
	t.Parallel() // it waits most of the time
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, "one.test")
	cert, err := httpd.LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, kernel.Parallel)
	s := r.start(httpd.Config{TLS: &tls.Config{GetCertificate: cert.Get}, Handler: http.NotFoundHandler()})
	name := func() string {
		return dialTLS(t, s).Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := name(); got != "one.test" {
		t.Errorf("got %s", got)
	}
	if err := os.WriteFile(keyFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cert.Reload(); err == nil || !strings.Contains(err.Error(), keyFile) {
		t.Errorf("got %v", err)
	}
	if got := name(); got != "one.test" { // the old one stays
		t.Errorf("got %s", got)
	}
	writePair(t, dir, "two.test")
	if err := cert.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "two.test" {
		t.Errorf("got %s", got)
	}
	writePair(t, dir, "three.test") // found by itself, within a second
	r.until("the new one is found", func() bool { return name() == "three.test" })
	if _, err := httpd.LoadCertificate(certFile, filepath.Join(dir, "none")); err == nil {
		t.Error("no error")
	}
}

func TestH9_ClientCertificates(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	certFile, keyFile := writePair(t, t.TempDir(), "client.test")
	pemBytes, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pemBytes)
	cfg := tlsConfig(t)
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, pool
	s := r.serve(r.logs(httpd.Config{TLS: cfg}), pages{"foo": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
		a.WriteString(q.TLS.PeerCertificates[0].Subject.CommonName)
		a.Done()
		return nil
	}})
	p := dialTLS(t, s)
	_, _ = io.WriteString(p, "GET /foo HTTP/1.1\r\nHost: x\r\n\r\n")
	if rest := p.closed(); rest != "" {
		t.Errorf("served without a certificate: %q", rest)
	}
	r.await("error TLS handshake failed")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	with := insecure.Clone()
	with.Certificates = []tls.Certificate{pair}
	nc, err := tls.Dial("tcp", s.Addrs()[0].String(), with)
	if err != nil {
		t.Fatal(err)
	}
	p = newPeer(t, nc)
	p.get("/foo")
	p.want(200, "client.test")
}
