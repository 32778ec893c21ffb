package wheeltest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/usher-go/usher/kernel"
)

type ip = netip.Addr

const (
	localhost = "localhost"
	unixHost  = "unix"
)

// Host is a Network as one of its hosts sees it: where its connections come from,
// and what an address without a host means.
type Host struct {
	n    *Network
	name string
}

var (
	_ kernel.AsyncNetwork   = Host{}
	_ kernel.ClockedNetwork = Host{}
)

// host is what the network knows of one.
type host struct {
	name  string
	addrs []ip // what a lookup answers
	from  []ip // where its connections come from
}

// addLocalhost gives localhost, beside what a lookup answers, addresses of those
// that are for documentation (RFC 5737, RFC 3849), for connections to others.
func (n *Network) addLocalhost() {
	h := &host{name: localhost}
	for _, a := range []string{"127.0.0.1", "::1"} {
		h.addrs = append(h.addrs, netip.MustParseAddr(a))
	}
	for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
		h.from = append(h.from, netip.MustParseAddr(a))
	}
	n.addHost(h)
}

func (n *Network) addHost(h *host) {
	n.hosts[h.name] = h
	for _, list := range [][]ip{h.addrs, h.from} {
		for _, a := range list {
			n.owners[a] = h
		}
	}
}

// SetHost gives a name its addresses, IPv4 or IPv6, which are a host of their own:
// the one that Between, Cut and On mean. Without addresses the name ends. Every
// address that no host has is one by itself, and needs no SetHost.
func (n *Network) SetHost(name string, addrs ...string) {
	h := &host{name: canonical(name)}
	for _, a := range addrs {
		addr, err := netip.ParseAddr(a)
		if err != nil {
			panic(fmt.Sprintf("wheeltest: SetHost(%q): %v; want addresses such as 10.0.0.1 or fd00::1", name, err))
		}
		h.addrs = append(h.addrs, addr.Unmap())
	}
	h.from = h.addrs
	n.lock()
	defer n.unlock()
	if old := n.hosts[h.name]; old != nil {
		for a, owner := range n.owners {
			if owner == old {
				delete(n.owners, a)
			}
		}
		delete(n.hosts, h.name)
	}
	if len(addrs) > 0 {
		n.addHost(h)
	}
}

// On returns the network as a host sees it: a name that SetHost gives addresses,
// or an address. It is for kernels that play different hosts; within one kernel,
// kernel.WithLocalAddress says where a connection comes from.
func (n *Network) On(host string) Host { return Host{n, canonical(host)} }

// Attach is Network.Attach.
func (h Host) Attach(k *kernel.Kernel) { h.n.Attach(k) }

// Lookup returns the addresses that SetHost gave a name; an address is its own.
// It does not wait. The error for an unknown name is a *net.DNSError.
func (h Host) Lookup(_ context.Context, name string) ([]net.IPAddr, error) {
	h.n.lock()
	defer h.n.unlock()
	return h.n.lookup(name)
}

// LookupAsync is Lookup, with its answer after Config.LookupDelay.
func (h Host) LookupAsync(ctx context.Context, name string, done func([]net.IPAddr, error)) (cancel func()) {
	n := h.n
	n.lock()
	defer n.unlock()
	q := newAsk(ctx, n, done)
	q.wrap = func(err error) error {
		return &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: name, IsTimeout: ctx.Err() == context.DeadlineExceeded}
	}
	n.after(n.cfg.LookupDelay, func() {
		addrs, err := n.lookup(name)
		if ctx.Err() != nil {
			addrs, err = nil, q.wrap(contextError(ctx))
		}
		n.call(func() { q.answer(addrs, err) })
	})
	return q.cancel
}

func (n *Network) lookup(name string) ([]net.IPAddr, error) {
	n.stats.Lookups++
	addrs, err := n.resolve(name)
	if err != nil {
		return nil, err
	}
	var list []net.IPAddr
	for _, a := range addrs {
		list = append(list, net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()})
	}
	return list, nil
}

// resolve is what a name means, an address meaning itself.
func (n *Network) resolve(name string) ([]ip, error) {
	if err := n.failing.lookups.next(canonical(name)); err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return []ip{a.Unmap()}, nil
	}
	if h := n.hosts[canonical(name)]; h != nil {
		return h.addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// hostOf is the name of the host that has an address.
func (n *Network) hostOf(a ip) string {
	if h := n.owners[a]; h != nil {
		return h.name
	}
	return a.String()
}

// hostNamed is the name of the host that somebody calls by its name or an address.
func (n *Network) hostNamed(name string) string {
	if a, err := netip.ParseAddr(name); err == nil {
		return n.hostOf(a.Unmap())
	}
	return canonical(name)
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// source is the address from which a host reaches another one, as a system with
// one route would choose it; not valid if there is none of the same family.
func (n *Network) source(host string, to ip) (from ip) {
	if n.hostOf(to) == host {
		return to
	}
	if h := n.hosts[host]; h != nil {
		for _, a := range h.from {
			if a.Is4() == to.Is4() {
				return a
			}
		}
		return from
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Unmap().Is4() == to.Is4() {
		return a.Unmap()
	}
	return from
}
