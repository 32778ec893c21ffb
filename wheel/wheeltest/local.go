package wheeltest

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// chooseLocal is the local end of a stream.
func (a *attempt) chooseLocal() error {
	if a.network == "unix" {
		a.local = endpoint{path: a.from}
		if a.from == "" {
			return nil
		}
		if a.n.streams.files[a.from] {
			return syscall.EADDRINUSE
		}
		a.n.streams.files[a.from] = true
		return nil
	}
	at, err := a.h.localEnd(a.network, a.from, a.remote.addr.Addr())
	if err != nil {
		return err
	}
	if at.Port() == 0 {
		at = a.n.takePort(at.Addr())
		if at.Port() == 0 {
			return syscall.EADDRNOTAVAIL
		}
	} else if a.n.ports.dialing[at] || a.n.streams.taken(&bound{addr: at, host: a.n.hostOf(at.Addr())}) {
		return syscall.EADDRINUSE
	}
	a.n.ports.dialing[at] = true
	a.local, a.port = endpoint{addr: at}, at
	return nil
}

// localEnd is where a connection to a host comes from: what was asked for, port 0
// where nothing was.
func (h Host) localEnd(network, asked string, to ip) (netip.AddrPort, error) {
	if asked == "" {
		from := h.n.source(h.name, to)
		if !from.IsValid() {
			return netip.AddrPort{}, syscall.ENETUNREACH
		}
		return netip.AddrPortFrom(from, 0), nil
	}
	if _, _, err := net.SplitHostPort(asked); err != nil {
		asked = net.JoinHostPort(strings.Trim(asked, "[]"), "0")
	}
	list, err := h.endpoints(network, asked)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, e := range list {
		switch a := e.addr.Addr(); {
		case a.Is4() != to.Is4():
		case a.IsUnspecified():
			return netip.AddrPortFrom(h.n.source(h.name, to), e.addr.Port()), nil
		default:
			return e.addr, nil
		}
	}
	return netip.AddrPort{}, &net.AddrError{Err: "mismatched local address type", Addr: asked}
}

// takePort chooses a port for a local end; 0 if there is none left.
func (n *Network) takePort(a ip) netip.AddrPort {
	port, _ := n.ports.choose(func(p uint16) bool {
		return !n.ports.dialing[netip.AddrPortFrom(a, p)] && len(n.streams.ports[p]) == 0
	})
	at := netip.AddrPortFrom(a, port)
	n.ports.dialing[at] = true
	return at
}
