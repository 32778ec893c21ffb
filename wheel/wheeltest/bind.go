package wheeltest

import (
	"net/netip"
	"slices"
	"syscall"
)

// bound is what a socket is bound to: an address and a port, or a path.
type bound struct {
	network string
	addr    netip.AddrPort
	path    string
	host    string // whose address it is
	dual    bool   // IPv6, and IPv4 with it
	reuse   bool
}

func (b *bound) at() *bound { return b }

func (b *bound) wild() bool { return b.addr.Addr().IsUnspecified() }

// takes reports whether what is sent to an address of a host may come here.
func (b *bound) takes(a ip) bool { return b.dual || b.addr.Addr().Is4() == a.Is4() }

// collides: two sockets cannot have both.
func (b *bound) collides(o *bound) bool {
	switch {
	case b.reuse && o.reuse, b.addr.Port() != o.addr.Port():
		return false
	case b.addr == o.addr && b.host == o.host:
		return true
	}
	return b.host == o.host && (b.wild() || o.wild()) && (b.takes(o.addr.Addr()) || o.takes(b.addr.Addr()))
}

// namespace is who is bound to what, of one kind of socket.
type namespace[S interface {
	comparable
	at() *bound
}] struct {
	ports map[uint16][]S
	paths map[string]S
	files map[string]bool // paths that exist, with or without somebody
}

func (ns *namespace[S]) init() {
	ns.ports, ns.paths, ns.files = make(map[uint16][]S), make(map[string]S), make(map[string]bool)
}

// bind enters a socket, and chooses its port if that is 0.
func (ns *namespace[S]) bind(n *Network, s S) error {
	b := s.at()
	if b.addr == (netip.AddrPort{}) {
		return ns.bindPath(b.path, s)
	}
	if b.addr.Port() == 0 {
		port, ok := n.ports.choose(func(p uint16) bool {
			return len(ns.ports[p]) == 0 && !n.ports.dialing[netip.AddrPortFrom(b.addr.Addr(), p)]
		})
		if !ok {
			return syscall.EADDRINUSE
		}
		b.addr = netip.AddrPortFrom(b.addr.Addr(), port)
	}
	if ns.taken(b) {
		return syscall.EADDRINUSE
	}
	ns.ports[b.addr.Port()] = append(ns.ports[b.addr.Port()], s)
	return nil
}

func (ns *namespace[S]) taken(b *bound) bool {
	return slices.ContainsFunc(ns.ports[b.addr.Port()], func(o S) bool { return o.at().collides(b) })
}

func (ns *namespace[S]) bindPath(path string, s S) error {
	if path == "" {
		return nil // a socket without a name
	}
	if ns.files[path] {
		return syscall.EADDRINUSE
	}
	ns.paths[path], ns.files[path] = s, true
	return nil
}

// unbind ends bind. A path may stay, without anybody, as files do.
func (ns *namespace[S]) unbind(s S, keepFile bool) {
	b := s.at()
	if b.path != "" {
		if ns.paths[b.path] == s {
			delete(ns.paths, b.path)
			if !keepFile || b.path[0] == '@' {
				delete(ns.files, b.path)
			}
		}
		return
	}
	port := b.addr.Port()
	if i := slices.Index(ns.ports[port], s); i >= 0 {
		ns.ports[port] = slices.Delete(ns.ports[port], i, i+1)
	}
	if len(ns.ports[port]) == 0 {
		delete(ns.ports, port)
	}
}

// find returns who gets what is sent to an address: who is bound to it, else who
// is bound to all of its host's; one of several that share it, by chance.
func (ns *namespace[S]) find(n *Network, to netip.AddrPort) (s S, ok bool) {
	var exact, wild []S
	host := n.hostOf(to.Addr())
	for _, s := range ns.ports[to.Port()] {
		switch b := s.at(); {
		case b.addr == to:
			exact = append(exact, s)
		case b.wild() && b.host == host && b.takes(to.Addr()):
			wild = append(wild, s)
		}
	}
	list := exact
	if len(list) == 0 {
		list = wild
	}
	switch len(list) {
	case 0:
		return s, false
	case 1:
		return list[0], true
	}
	return list[n.rand.IntN(len(list))], true
}

func (ns *namespace[S]) findPath(path string) (s S, err error) {
	s, ok := ns.paths[path]
	switch {
	case ok:
		return s, nil
	case ns.files[path]:
		return s, syscall.ECONNREFUSED
	}
	return s, syscall.ENOENT
}

// The range from which Linux chooses (ip_local_port_range).
const firstPort, lastPort = 32768, 60999

// ports chooses ports, one after the other, so that none comes back soon.
type ports struct {
	next    uint16
	dialing map[netip.AddrPort]bool // local ends of connections that were dialled
}

func (p *ports) init() { p.next, p.dialing = firstPort, make(map[netip.AddrPort]bool) }

func (p *ports) choose(free func(uint16) bool) (port uint16, ok bool) {
	for range lastPort - firstPort + 1 {
		port = p.next
		if p.next++; p.next > lastPort {
			p.next = firstPort
		}
		if free(port) {
			return port, true
		}
	}
	return 0, false
}

// Unlink removes the file of a unix socket that outlived it: see
// Listener.SetUnlinkOnClose. A socket that is still there goes on, but cannot be
// found any more.
func (n *Network) Unlink(path string) {
	n.lock()
	defer n.unlock()
	delete(n.streams.files, path)
	delete(n.streams.paths, path)
	delete(n.packets.files, path)
	delete(n.packets.paths, path)
}
