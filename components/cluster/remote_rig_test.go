package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
)

// remotePatience is a deadline that only a broken test meets.
const remotePatience = time.Minute

// remoteNews is a call of a Carrier.
type remoteNews struct {
	what string // received, connected, broken, refused
	who  string
	err  error
	from []string
}

// remoteListener is a Carrier that notes. Notes of what has been received are left out
// when there is a function for it.
type remoteListener struct {
	t     *testing.T
	name  string
	news  chan remoteNews
	taken func(p *wire.Packet)
}

func (l *remoteListener) Receive(p *wire.Packet, from []string) {
	if l.taken != nil {
		l.taken(p)
		return
	}
	l.news <- remoteNews{what: "received", who: p.Node, from: from}
}
func (l *remoteListener) Connected(a string) { l.news <- remoteNews{what: "connected", who: a} }
func (l *remoteListener) Broken(a string, err error) {
	l.news <- remoteNews{what: "broken", who: a, err: err}
}
func (l *remoteListener) Refused(peer string, err error) {
	l.news <- remoteNews{what: "refused", who: peer, err: err}
}

// next waits for the next call, which must be the one.
func (l *remoteListener) next(what string) remoteNews {
	l.t.Helper()
	select {
	case n := <-l.news:
		if n.what != what {
			l.t.Fatalf("%s: %s %s %v, want %s", l.name, n.what, n.who, n.err, what)
		}
		return n
	case <-time.After(remotePatience):
		l.t.Fatalf("%s: nothing, want %s\n%s", l.name, what, remoteStacks())
	}
	panic("unreachable")
}

// until skips calls up to the one.
func (l *remoteListener) until(what string) remoteNews {
	l.t.Helper()
	late := time.After(remotePatience)
	for {
		select {
		case n := <-l.news:
			if n.what == what {
				return n
			}
		case <-late:
			l.t.Fatalf("%s: no %s\n%s", l.name, what, remoteStacks())
		}
	}
}

func (l *remoteListener) silent() {
	l.t.Helper()
	select {
	case n := <-l.news:
		l.t.Fatalf("%s: %s %s %v, want nothing", l.name, n.what, n.who, n.err)
	default:
	}
}

// remoteNode is a transport that runs.
type remoteNode struct {
	*remoteTransport
	*remoteListener
	address string
}

func startRemote(t *testing.T, cfg remoteConfig, receive ...func(*wire.Packet)) *remoteNode {
	t.Helper()
	r, err := newRemote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := &remoteNode{remoteTransport: r, remoteListener: &remoteListener{t: t, name: "node", news: make(chan remoteNews, 20_000)}}
	if len(receive) > 0 {
		n.taken = receive[0]
	}
	if n.address, err = r.Start(deadline(t), n.remoteListener); err != nil {
		t.Fatal(err)
	}
	n.name = n.address
	t.Cleanup(func() { n.stop() })
	return n
}

func (n *remoteNode) stop() {
	n.t.Helper()
	if err := n.Close(); err != nil {
		n.t.Errorf("Close: %v\n%s", err, remoteStacks())
	}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), remotePatience)
	t.Cleanup(cancel)
	return ctx
}

// hello is the smallest packet.
func hello(from string) *wire.Packet { return &wire.Packet{Node: from} }

// reach sends until a packet arrives. Packets in the meantime may be lost.
func reach(t *testing.T, from, to *remoteNode) {
	t.Helper()
	from.Send(to.address, hello("reach"))
	late := time.After(remotePatience)
	for {
		select {
		case n := <-to.news:
			if n.what == "received" {
				return
			}
		case n := <-from.news:
			if n.what == "broken" {
				from.Send(to.address, hello("reach"))
			}
		case <-late:
			t.Fatalf("%s does not reach %s\n%s", from.address, to.address, remoteStacks())
		}
	}
}

// noGoroutines waits until nothing runs that a transport has started.
func noGoroutines(t *testing.T) {
	t.Helper()
	gone(t, "google.golang.org/grpc", "asynkron", "cluster.(*remote")
}

func remoteStacks() string {
	buf := make([]byte, 4<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// remoteAuthority signs certificates for 127.0.0.1.
type remoteAuthority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newRemoteAuthority(t *testing.T) *remoteAuthority {
	t.Helper()
	a := &remoteAuthority{t: t, pool: x509.NewCertPool()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.key = a.newKey()
	a.cert = a.sign(template, template, &a.key.PublicKey)
	a.pool.AddCert(a.cert)
	return a
}

func (a *remoteAuthority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *remoteAuthority) sign(template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// certificate is for DNS names, or with a first one that begins with CN= for that
// alone.
func (a *remoteAuthority) certificate(valid time.Duration, names ...string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid), DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if cn, ok := strings.CutPrefix(slices.Concat(names, []string{""})[0], "CN="); ok {
		template.DNSNames, template.Subject = nil, pkix.Name{CommonName: cn}
	}
	key := a.newKey()
	cert := a.sign(template, a.cert, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func (a *remoteAuthority) config(names ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.certificate(time.Hour, names...)}, RootCAs: a.pool}
}

func wantError(t *testing.T, err, want error, text string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), text) {
		t.Errorf("%v, want %v with %q", err, want, text)
	}
}

// gone waits until no goroutine has any of these in its stack.
func gone(t *testing.T, parts ...string) {
	t.Helper()
	for end := time.Now().Add(remotePatience); ; runtime.Gosched() {
		stacks := remoteStacks()
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(stacks, p) }) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q is still there:\n%s", parts, stacks)
		}
	}
}
