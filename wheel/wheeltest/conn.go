package wheeltest

import (
	"io"
	"net"
	"net/netip"
	"syscall"

	"github.com/usher-go/usher/wheel"
)

// Conn is one end of a stream connection, of TCP or of a unix socket. What it
// does when its peer closes, resets or goes away is what Linux does; see "Streams"
// in the package's documentation.
type Conn struct {
	readiness
	network       string
	local, remote net.Addr
	port          netip.AddrPort // taken for it, when it was dialled
	in, out       *flow
	wire          *wire
	queue         *Listener // where it waits to be accepted
	embryo        bool      // it does not even wait yet

	shut    bool  // its own end was sent
	gone    bool  // nobody is at the other end, and a unix socket knows
	dead    bool  // reset
	err     error // a reset that nobody was told of yet
	abort   bool  // SetLinger(0)
	writing bool  // a Write waits for room, and others for it
}

var _ wheel.Pollable = (*Conn)(nil)

// connect makes both ends of a connection.
func (n *Network) connect(network string, a, b endpoint) (*Conn, *Conn) {
	w := new(wire)
	there, back := n.between(a, b)
	x, y := n.newConn(network, a, b, w), n.newConn(network, b, a, w)
	x.out = &flow{n: n, wire: w, path: there, back: back, from: x, to: y, window: n.cfg.Buffer}
	y.out = &flow{n: n, wire: w, path: back, back: there, from: y, to: x, window: n.cfg.Buffer}
	x.in, y.in = y.out, x.out
	return x, y
}

func (n *Network) newConn(network string, local, remote endpoint, w *wire) *Conn {
	c := &Conn{network: kind(network), wire: w}
	c.local, c.remote = local.address(network), remote.address(network)
	c.init(n, c.fails)
	return c
}

// between is the paths between two endpoints.
func (n *Network) between(a, b endpoint) (there, back *path) {
	from, to := n.place(a), n.place(b)
	return n.path(from, to), n.path(to, from)
}

func (n *Network) place(e endpoint) string {
	if !e.addr.IsValid() {
		return unixHost
	}
	return n.hostOf(e.addr.Addr())
}

// Pair returns the two ends of a new TCP connection of localhost.
func (n *Network) Pair() (*Conn, *Conn) {
	n.lock()
	defer n.unlock()
	var ends [2]endpoint
	for i := range ends {
		ends[i].addr = n.takePort(netip.MustParseAddr("127.0.0.1"))
	}
	a, b := n.connect("tcp", ends[0], ends[1])
	a.port, b.port = ends[0].addr, ends[1].addr
	at := caller()
	n.open.add(a, at)
	n.open.add(b, at)
	return a, b
}

// TryRead is part of wheel.Pollable.
func (c *Conn) TryRead(p []byte) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	return c.tryRead(p)
}

// Read waits until something has arrived.
func (c *Conn) Read(p []byte) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	for {
		n, err := c.tryRead(p)
		if err == wheel.ErrAgain {
			if err = c.n.wait(&c.readable); err == nil {
				continue
			}
			err = c.failed("read", err)
		}
		return n, err
	}
}

// tryRead is in the order of Linux's tcp_recvmsg: what has arrived, then the
// peer's end, then a reset, once.
func (c *Conn) tryRead(p []byte) (int, error) {
	switch {
	case c.closed:
		return 0, c.failed("read", net.ErrClosed)
	case c.rd.passed:
		return 0, c.failed("read", c.rd.err())
	case len(p) == 0:
		return 0, nil
	case len(c.in.buf) > 0:
		return c.in.read(p), nil
	case c.in.fin:
		return 0, io.EOF
	case c.err != nil:
		return 0, c.failed("read", c.takeErr())
	case c.dead:
		return 0, io.EOF
	}
	return 0, wheel.ErrAgain
}

// TryWrite is part of wheel.Pollable.
func (c *Conn) TryWrite(p []byte) (int, error) {
	c.n.lock()
	defer c.n.unlock()
	if c.writing && !c.closed {
		return 0, wheel.ErrAgain
	}
	return c.tryWrite(p)
}

// Write waits until all of p is sent. It arrives later, if at all.
func (c *Conn) Write(p []byte) (sent int, err error) {
	c.n.lock()
	defer c.n.unlock()
	for c.writing && !c.closed && !c.wd.passed {
		if err := c.n.wait(&c.writable); err != nil {
			return 0, c.failed("write", err)
		}
	}
	if c.writing { // and still is
		_, err := c.tryWrite(nil)
		return 0, err
	}
	c.writing = true
	defer func() { c.writing = false; c.wakeWriter() }()
	for {
		n, err := c.tryWrite(p[sent:])
		sent += n
		switch {
		case err == wheel.ErrAgain:
			if err := c.n.wait(&c.writable); err != nil {
				return sent, c.failed("write", err)
			}
		case err != nil || sent == len(p):
			return sent, err
		}
	}
}

// tryWrite is in the order of Linux's tcp_sendmsg: a reset, once, then the end.
func (c *Conn) tryWrite(p []byte) (int, error) {
	switch {
	case c.closed:
		return 0, c.failed("write", net.ErrClosed)
	case c.wd.passed:
		return 0, c.failed("write", c.wd.err())
	case c.err != nil && c.network == "tcp":
		return 0, c.failed("write", c.takeErr())
	case c.shut || c.dead || c.gone:
		return 0, c.failed("write", syscall.EPIPE)
	case len(p) == 0:
		return 0, nil
	case c.out.room() == 0:
		return 0, wheel.ErrAgain
	}
	return c.out.write(p), nil
}

func (c *Conn) takeErr() error {
	err := c.err
	c.err = nil
	return err
}

// fails is an error as that of a *net.TCPConn.
func (c *Conn) fails(op string, err error) error {
	switch op {
	case "set":
		return failed(op, "", c.network, nil, c.local, err)
	case "close":
		return failed(op, "shutdown", c.network, c.local, c.remote, err)
	}
	return failed(op, op, c.network, c.local, c.remote, err)
}

// LocalAddr is a *net.TCPAddr or a *net.UnixAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is likewise.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }
