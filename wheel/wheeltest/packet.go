package wheeltest

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/usher-go/usher/wheel"
)

// maxDatagram is what fits into a UDP packet; header is what IP and UDP add, and
// what one costs its receiver's buffer beside its bytes.
const maxDatagram, header = 65507, 28

type datagram struct {
	data []byte
	from endpoint
}

func (d datagram) cost() int { return len(d.data) + header }

// sendUDP sends a datagram that nobody guarantees for.
func (c *PacketConn) sendUDP(p []byte, to netip.AddrPort) error {
	if len(p) > maxDatagram {
		return syscall.EMSGSIZE
	}
	n, from := c.n, c.addr
	if c.wild() {
		from = netip.AddrPortFrom(n.source(c.host, to.Addr()), from.Port())
	}
	if !from.Addr().IsValid() || !c.takes(to.Addr()) {
		return syscall.ENETUNREACH
	}
	d := datagram{append([]byte(nil), p...), endpoint{addr: from}}
	there, back := n.between(d.from, endpoint{addr: to})
	arrive := func() { n.receiveUDP(c, d, to, back) }
	n.stats.Datagrams++
	there.datagram(len(p), arrive)
	if n.chance(there.rules().Duplicate) {
		n.stats.Duplicated++
		there.datagram(len(p), arrive)
	}
	return nil
}

// datagram sends something that is lost when it is lost.
func (p *path) datagram(size int, arrive func()) {
	l := p.rules()
	at := p.depart(size).Add(p.trip())
	if p.n.chance(l.Reorder) {
		at = at.Add(l.Delay + l.Jitter + time.Millisecond)
	}
	if p.n.chance(l.Loss) {
		p.n.stats.Lost++
		return
	}
	p.n.at(at, packet{p: p, do: arrive}.arrive)
}

func (n *Network) receiveUDP(from *PacketConn, d datagram, to netip.AddrPort, back *path) {
	c, ok := n.packets.find(n, to)
	switch {
	case !ok && from.peer != nil: // the sender's system hears of it, by ICMP
		back.datagram(0, func() { from.refused() })
	case !ok, c.peer != nil && c.peer.addr != d.from.addr, c.waiting+d.cost() > n.cfg.Buffer:
		n.stats.Lost++
	default:
		c.waiting += d.cost()
		c.push(d)
	}
}

// sendUnix sends a datagram that arrives, in order: where the receiver has no room
// the sender waits.
func (c *PacketConn) sendUnix(p []byte, path string) error {
	n := c.n
	to, err := n.packets.findPath(path)
	if err != nil {
		return err
	}
	d := datagram{append([]byte(nil), p...), endpoint{path: c.path}}
	switch {
	case d.cost() > n.cfg.Buffer:
		return syscall.EMSGSIZE
	case to.waiting+d.cost() > n.cfg.Buffer:
		to.senders = append(to.senders, c)
		return wheel.ErrAgain
	}
	n.stats.Datagrams++
	to.waiting += d.cost()
	to.coming = append(to.coming, d)
	there := n.path(unixHost, unixHost)
	// What arrives first is what was sent first, however long each took.
	there.send(packet{size: len(p), sure: true, do: func() {
		to.push(to.coming[0])
		to.coming = slices.Delete(to.coming, 0, 1)
	}})
	return nil
}

func (c *PacketConn) push(d datagram) {
	if c.closed {
		return
	}
	c.queue = append(c.queue, d)
	c.n.trace("%v got %d bytes", c, len(d.data))
	c.wakeReader()
}

// pop takes the oldest datagram; senders that found no room may try again.
func (c *PacketConn) pop() datagram {
	d := c.queue[0]
	c.queue = slices.Delete(c.queue, 0, 1)
	c.waiting -= d.cost()
	c.wakeSenders()
	return d
}

func (c *PacketConn) wakeSenders() {
	senders := c.senders
	c.senders = nil
	for _, s := range senders {
		s.wakeWriter()
	}
}

func (c *PacketConn) refused() {
	c.err = syscall.ECONNREFUSED
	c.wakeReader()
	c.wakeWriter()
}
