package httpd

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Certificate is a certificate and its key, in files that may change while the
// server runs:
//
//	cert, err := httpd.LoadCertificate("server.crt", "server.key")
//	cfg.TLS = &tls.Config{GetCertificate: cert.Get}
//
// A handshake looks at most once a second whether the files have changed, and loads
// them if so; as long as they do not fit together the old ones stay. Reload, on
// SIGHUP perhaps, does so at once and says what is wrong. Client certificates are
// tls.Config's ClientAuth and ClientCAs.
type Certificate struct {
	certFile, keyFile string

	mu     sync.Mutex
	now    *tls.Certificate
	of     [2]version // the files that now was loaded from, or that failed
	looked time.Time
}

// version tells a file from its successors.
type version struct {
	changed time.Time
	size    int64
}

// LoadCertificate reads files in PEM form; the first may have intermediate
// certificates behind the server's own (H9).
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the files again.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of, c.looked = c.look(), time.Now()
	return c.load()
}

func (c *Certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("httpd: certificate %s with key %s: %w; both in PEM form, the key that of the first certificate", c.certFile, c.keyFile, err)
	}
	c.now = &pair
	return nil
}

func (c *Certificate) look() (v [2]version) {
	for i, name := range []string{c.certFile, c.keyFile} {
		var info fs.FileInfo
		if info, _ = os.Stat(name); info != nil {
			v[i] = version{info.ModTime(), info.Size()}
		}
	}
	return v
}

// Get is a tls.Config.GetCertificate.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= time.Second {
		c.looked = time.Now()
		if v := c.look(); v != c.of {
			c.of = v
			_ = c.load() // the old one stays
		}
	}
	return c.now, nil
}
