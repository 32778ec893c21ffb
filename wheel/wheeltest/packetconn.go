package wheeltest

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// PacketConn is a socket for datagrams, of UDP or of unixgram, and a net.Conn, too,
// as *net.UDPConn is: with one peer if Dial made it, else without any to write to.
type PacketConn struct {
	bound
	readiness
	local   net.Addr
	peer    *endpoint // Dial's
	queue   []datagram
	coming  []datagram // of unixgram, on their way
	waiting int        // the cost of what is in queue and in coming
	senders []*PacketConn
	err     error // nobody was at the peer's port
}

var (
	_ wheel.PollablePacketConn = (*PacketConn)(nil)
	_ net.Conn                 = (*PacketConn)(nil)
)

// ListenPacket makes a socket for datagrams, on udp, udp4, udp6 or unixgram. Its
// address is read as with Listen. It does not wait.
func (h Host) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	n := h.n
	n.lock()
	defer n.unlock()
	b, err := h.bindTo(network, address)
	if err == nil && kind(network) != "udp" && network != "unixgram" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, failed("listen", "", network, nil, nil, err)
	}
	b.reuse = kernel.ReusePort(ctx) && b.path == ""
	c, err := n.newPacketConn(b)
	if err != nil {
		return nil, failed("listen", "bind", kind(network), nil, c.local, err)
	}
	n.open.add(c, caller())
	return c, nil
}

func (n *Network) newPacketConn(b bound) (*PacketConn, error) {
	c := &PacketConn{bound: b}
	c.init(n, c.fails)
	err := n.packets.bind(n, c)
	c.local = endpoint{c.addr, c.path}.address(c.network)
	return c, err
}

// connectPacket is a dial of datagrams: nothing is sent, and so nobody refuses.
func (a *attempt) connectPacket() error {
	n, b := a.n, bound{network: a.network, path: a.from, host: unixHost}
	if a.network != "unixgram" {
		at, err := a.h.localEnd(a.network, a.from, a.remote.addr.Addr())
		if err != nil {
			return err
		}
		b.path, b.addr, b.host = "", at, n.hostOf(at.Addr())
	} else if _, err := n.packets.findPath(a.remote.path); err != nil {
		a.fail("connect", err)
		return nil
	}
	c, err := n.newPacketConn(b)
	if err != nil {
		return err
	}
	remote := a.remote
	c.peer = &remote
	a.succeed(c, connectedPacketConn{c})
	return nil
}

// TryReadFrom is part of wheel.PollablePacketConn.
func (c *PacketConn) TryReadFrom(p []byte) (int, net.Addr, error) {
	c.n.lock()
	defer c.n.unlock()
	return c.tryRead(p)
}

// ReadFrom waits until a datagram has come. What does not fit into p is lost.
func (c *PacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.n.lock()
	defer c.n.unlock()
	for {
		n, from, err := c.tryRead(p)
		if err == wheel.ErrAgain {
			if err = c.n.wait(&c.readable); err == nil {
				continue
			}
			err = c.failed("read", err)
		}
		return n, from, err
	}
}

// Read is ReadFrom for those who do not ask from whom.
func (c *PacketConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// Write has nobody to write to: WriteTo has.
func (c *PacketConn) Write([]byte) (int, error) {
	return 0, c.fails("write", syscall.EDESTADDRREQ)
}

// RemoteAddr is nil: there is no peer.
func (c *PacketConn) RemoteAddr() net.Addr { return nil }

func (c *PacketConn) tryRead(p []byte) (int, net.Addr, error) {
	switch {
	case c.closed:
		return 0, nil, c.failed("read", net.ErrClosed)
	case c.rd.passed:
		return 0, nil, c.failed("read", c.rd.err())
	case c.err != nil:
		return 0, nil, c.failed("read", c.takeErr())
	case len(c.queue) == 0:
		return 0, nil, wheel.ErrAgain
	}
	d := c.pop()
	var from net.Addr
	if d.from != (endpoint{}) {
		from = d.from.address(c.network)
	}
	return copy(p, d.data), from, nil
}

// TryWriteTo is part of wheel.PollablePacketConn. ErrAgain comes from unixgram only.
func (c *PacketConn) TryWriteTo(p []byte, to net.Addr) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	return c.tryWriteTo(p, to)
}

// WriteTo sends a datagram. It waits with unixgram only, for room at the receiver.
func (c *PacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	return c.untilWritten(func() (int, error) { return c.tryWriteTo(p, to) })
}

func (c *PacketConn) untilWritten(try func() (int, error)) (int, error) {
	for {
		n, err := try()
		if err == wheel.ErrAgain {
			if err = c.n.wait(&c.writable); err == nil {
				continue
			}
			err = c.failed("write", err)
		}
		return n, err
	}
}

func (c *PacketConn) tryWriteTo(p []byte, to net.Addr) (int, error) {
	if c.peer != nil {
		return 0, c.failedTo("write", to, net.ErrWriteToConnected)
	}
	e, err := c.destination(to)
	if err != nil {
		return 0, c.failedTo("write", to, err)
	}
	return c.tryWrite(p, e)
}

func (c *PacketConn) destination(to net.Addr) (endpoint, error) {
	if kind(c.network) == "unixgram" {
		if to, ok := to.(*net.UnixAddr); ok && to != nil {
			return endpoint{path: to.Name}, nil
		}
	} else if to != nil {
		if at, err := netip.ParseAddrPort(to.String()); err == nil {
			return endpoint{addr: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}, nil
		}
	}
	return endpoint{}, &net.AddrError{Err: "no address for " + c.network}
}

func (c *PacketConn) tryWrite(p []byte, to endpoint) (int, error) {
	var err error
	switch {
	case c.closed:
		err = net.ErrClosed
	case c.wd.passed:
		err = c.wd.err()
	case c.err != nil:
		err = c.takeErr()
	case to.path != "":
		err = c.sendUnix(p, to.path)
	default:
		err = c.sendUDP(p, to.addr)
	}
	switch err {
	case nil:
		return len(p), nil
	case wheel.ErrAgain:
		return 0, err
	}
	return 0, c.failedTo("write", to.address(c.network), err)
}

func (c *PacketConn) takeErr() error {
	err := c.err
	c.err = nil
	return err
}

// Close ends the socket; what waits gets net.ErrClosed. As with package net, the
// file of a unixgram socket stays, until Unlink.
func (c *PacketConn) Close() error {
	c.n.lock()
	defer c.n.unlock()
	if c.closed {
		return c.failed("close", net.ErrClosed)
	}
	c.close()
	return nil
}

func (c *PacketConn) close() {
	c.end()
	c.queue = nil
	c.n.packets.unbind(c, true)
	c.wakeSenders()
	c.n.open.remove(c)
}

// LocalAddr is a *net.UDPAddr or a *net.UnixAddr.
func (c *PacketConn) LocalAddr() net.Addr { return c.local }

func (c *PacketConn) fails(op string, err error) error { return c.failedTo(op, nil, err) }

func (c *PacketConn) failedTo(op string, to net.Addr, err error) error {
	call := op
	if c.peer == nil {
		call = map[string]string{"read": "recvfrom", "write": "sendto"}[op]
	}
	return failed(op, call, kind(c.network), c.local, to, err)
}

func (c *PacketConn) String() string { return kind(c.network) + " socket " + c.local.String() }

// connectedPacketConn is what Dial returns.
type connectedPacketConn struct{ *PacketConn }

var (
	_ wheel.Pollable           = connectedPacketConn{}
	_ wheel.PollablePacketConn = connectedPacketConn{}
)

func (c connectedPacketConn) RemoteAddr() net.Addr { return c.peer.address(c.network) }

func (c connectedPacketConn) TryRead(p []byte) (int, error) {
	n, _, err := c.TryReadFrom(p)
	return n, err
}

func (c connectedPacketConn) Write(p []byte) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	return c.untilWritten(func() (int, error) { return c.tryWrite(p, *c.peer) })
}

func (c connectedPacketConn) TryWrite(p []byte) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	return c.tryWrite(p, *c.peer)
}
