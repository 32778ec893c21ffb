//go:build linux

package realtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Namespaces gives each node a network of its own, joined by a bridge, and so addresses
// that are not loopback ones, and certificates. A node is cut off when its cable is
// pulled. It needs root, or what comes close; the test is skipped where that is missing.
type Namespaces struct {
	t         *testing.T
	prefix    string // of names; interfaces have 15 characters
	subnet    string
	names     []string
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	pem       string
}

var _ Net = (*Namespaces)(nil)

// NewNamespaces is ready for nodes of these names.
func NewNamespaces(t *testing.T, names ...string) *Namespaces {
	t.Helper()
	n := &Namespaces{t: t, prefix: fmt.Sprintf("ut%d", os.Getpid()), subnet: fmt.Sprintf("10.%d.%d", 64+os.Getpid()%128, os.Getpid()/128%256), names: names}
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip here; Debian has it in iproute2")
	}
	t.Cleanup(n.close)
	n.need("link", "add", n.prefix, "type", "bridge")
	n.need("addr", "add", n.subnet+".254/24", "dev", n.prefix)
	n.need("link", "set", n.prefix, "up")
	for i, name := range names {
		inside := n.cable(i) + "i"
		n.need("netns", "add", n.space(name))
		n.need("link", "add", n.cable(i), "type", "veth", "peer", "name", inside)
		n.need("link", "set", inside, "netns", n.space(name))
		n.need("link", "set", n.cable(i), "master", n.prefix, "up")
		n.need("-n", n.space(name), "addr", "add", n.address(i)+"/24", "dev", inside)
		n.need("-n", n.space(name), "link", "set", inside, "up")
		n.need("-n", n.space(name), "link", "set", "lo", "up")
	}
	n.certify()
	return n
}

func (n *Namespaces) ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (n *Namespaces) need(args ...string) {
	n.t.Helper()
	if err := n.ip(args...); err != nil {
		n.t.Skip("not allowed here: ", err)
	}
}

func (n *Namespaces) close() {
	for _, name := range n.names {
		_ = n.ip("netns", "del", n.space(name)) // with its end of the cable, and so the other one
	}
	_ = n.ip("link", "del", n.prefix)
}

func (n *Namespaces) space(name string) string { return n.prefix + "-" + name }
func (n *Namespaces) cable(i int) string       { return fmt.Sprintf("%s-%d", n.prefix, i) }
func (n *Namespaces) address(i int) string     { return fmt.Sprintf("%s.%d", n.subnet, i+1) }

// Outside is an address of the test's own process that nodes can reach.
func (n *Namespaces) Outside() string { return n.subnet + ".254" }

func (n *Namespaces) index(name string) int {
	for i, o := range n.names {
		if o == name {
			return i
		}
	}
	panic("no node " + name)
}

func (n *Namespaces) Addresses(name string) (listen, advertise string) {
	a := net.JoinHostPort(n.address(n.index(name)), "7000")
	return a, a
}

func (n *Namespaces) Command(name, program string) *exec.Cmd {
	return exec.Command("ip", "netns", "exec", n.space(name), program)
}

func (n *Namespaces) Cut(name string)  { n.pull(name, "down") }
func (n *Namespaces) Heal(name string) { n.pull(name, "up") }

func (n *Namespaces) pull(name, state string) {
	if err := n.ip("link", "set", n.cable(n.index(name)), state); err != nil {
		n.t.Error(err)
	}
}

func (n *Namespaces) certify() {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	n.key = n.newKey()
	n.authority = template
	n.pem, n.authority = n.sign(template, &n.key.PublicKey)
}

func (n *Namespaces) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		n.t.Fatal(err)
	}
	return key
}

func (n *Namespaces) sign(template *x509.Certificate, key *ecdsa.PublicKey) (string, *x509.Certificate) {
	der, err := x509.CreateCertificate(rand.Reader, template, n.authority, key, n.key)
	if err != nil {
		n.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert
}

// Certificate is for a node's name and address.
func (n *Namespaces) Certificate(name string) (ca, cert, key string) {
	own := n.newKey()
	cert, _ = n.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name},
		IPAddresses: []net.IP{net.ParseIP(n.address(n.index(name)))},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &own.PublicKey)
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		n.t.Fatal(err)
	}
	return n.pem, cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
