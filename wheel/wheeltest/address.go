package wheeltest

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// endpoint is one end of a connection, or where a datagram goes.
type endpoint struct {
	addr netip.AddrPort
	path string
}

// address is an endpoint as package net would have it.
func (e endpoint) address(network string) net.Addr {
	switch kind(network) {
	case "tcp":
		return net.TCPAddrFromAddrPort(e.addr)
	case "udp":
		return net.UDPAddrFromAddrPort(e.addr)
	}
	name := e.path
	if name == "" {
		name = "@" // what Linux says of a socket without a name
	}
	return &net.UnixAddr{Net: network, Name: name}
}

// kind is a network without its family.
func kind(network string) string { return strings.TrimRight(network, "46") }

// endpoints is what an address means to a host, in the order to try.
func (h Host) endpoints(network, address string) ([]endpoint, error) {
	switch network {
	case "unix", "unixgram":
		return []endpoint{{path: address}}, nil
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(context.Background(), network, service)
	if err != nil {
		return nil, err
	}
	addrs, err := h.addresses(network, name)
	if err != nil {
		return nil, err
	}
	var list []endpoint
	for _, a := range addrs {
		if network == kind(network) || a.Is4() == strings.HasSuffix(network, "4") {
			list = append(list, endpoint{addr: netip.AddrPortFrom(a, uint16(port))})
		}
	}
	if len(list) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: name}
	}
	return list, nil
}

// addresses is what a name means; the empty one is every address of the host.
func (h Host) addresses(network, name string) ([]ip, error) {
	switch {
	case name != "":
		return h.n.resolve(name)
	case strings.HasSuffix(network, "4"):
		return []ip{netip.IPv4Unspecified()}, nil
	case strings.HasSuffix(network, "6"):
		return []ip{netip.IPv6Unspecified()}, nil
	}
	return []ip{netip.IPv6Unspecified(), netip.IPv4Unspecified()}, nil
}

// here replaces "every address" by one of the host's own, as connect(2) does.
func (h Host) here(list []endpoint) []endpoint {
	var out []endpoint
	for _, e := range list {
		a := e.addr.Addr()
		if !a.IsValid() || !a.IsUnspecified() {
			out = append(out, e)
			continue
		}
		for _, own := range h.own() {
			if own.Is4() == a.Is4() {
				out = append(out, endpoint{addr: netip.AddrPortFrom(own, e.addr.Port())})
			}
		}
	}
	return out
}

func (h Host) own() []ip {
	if known := h.n.hosts[h.name]; known != nil {
		return known.addrs
	}
	if a, err := netip.ParseAddr(h.name); err == nil {
		return []ip{a.Unmap()}
	}
	return nil
}

// bindTo is the first endpoint of an address, as a socket is bound to it.
func (h Host) bindTo(network, address string) (bound, error) {
	list, err := h.endpoints(network, address)
	if err != nil {
		return bound{}, err
	}
	b := bound{network: network, addr: list[0].addr, path: list[0].path, host: h.name}
	switch {
	case b.path != "":
		b.host = unixHost
	case !b.wild():
		b.host = h.n.hostOf(b.addr.Addr())
	case network == kind(network): // like package net, whichever of the two was asked for
		b.addr, b.dual = netip.AddrPortFrom(netip.IPv6Unspecified(), b.addr.Port()), true
	}
	return b, nil
}
