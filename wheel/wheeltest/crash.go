package wheeltest

import "net"

// Crash ends all that a host has open, as when its processes are killed: listeners,
// connections, sockets for datagrams, dials. Its peers find their connections reset,
// after what was sent before; nobody at the host is told anything. Its addresses
// stay, and can be listened on again at once. Unix sockets belong to no host, and are
// left alone.
func (n *Network) Crash(host string) {
	n.lock()
	defer n.unlock()
	host = n.hostNamed(host)
	for _, x := range n.open.sorted() {
		switch x := x.(type) {
		case *attempt:
			if x.h.name == host {
				x.abandon()
			}
		case *Conn:
			if at, ok := x.local.(*net.TCPAddr); ok && n.hostOf(at.AddrPort().Addr().Unmap()) == host {
				x.abort = true
				x.close()
			}
		case *Listener:
			if x.host == host {
				x.close()
			}
		case *PacketConn:
			if x.host == host {
				x.close()
			}
		}
	}
}
