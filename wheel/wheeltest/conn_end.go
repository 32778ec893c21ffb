package wheeltest

import (
	"net"
	"syscall"
)

// CloseWrite ends this direction: the peer reads io.EOF after what was sent, and
// can still send.
func (c *Conn) CloseWrite() error {
	c.n.lock()
	defer c.n.unlock()
	switch {
	case c.closed:
		return c.failed("close", net.ErrClosed)
	case c.network == "tcp" && (c.dead || c.shut && c.in.fin):
		return c.failed("close", syscall.ENOTCONN)
	case !c.shut && !c.dead:
		c.shut = true
		c.out.send(segment{fin: true})
	}
	return nil
}

// SetLinger with 0 has Close reset the connection, as with TCP. Other values, and
// unix sockets, change nothing: what was written is sent all the same.
func (c *Conn) SetLinger(seconds int) error {
	c.n.lock()
	defer c.n.unlock()
	c.abort = seconds == 0 && c.network == "tcp"
	return nil
}

// Close ends the connection for its owner: what waits gets net.ErrClosed. What was
// written arrives, and then io.EOF at the peer; but where something has arrived
// and was not read, the peer is reset. What it sends from now on has it reset, too.
func (c *Conn) Close() error {
	c.n.lock()
	defer c.n.unlock()
	if c.closed {
		return c.failed("close", net.ErrClosed)
	}
	c.close()
	return nil
}

func (c *Conn) close() {
	c.end()
	switch {
	case c.dead:
	case c.abort || len(c.in.buf) > 0:
		c.dead = true
		c.out.sendReset(false)
	case !c.shut || c.network == "unix":
		c.shut = true
		c.out.send(segment{fin: true, gone: c.network == "unix"})
	}
	c.in.buf = nil
	c.n.open.remove(c)
	delete(c.n.ports.dialing, c.port)
	c.n.trace("%v closed", c)
}

// receive is the arrival of a segment. Where nobody is who could read it, the
// system answers.
func (c *Conn) receive(s segment) {
	switch {
	case s.begin && c.queue != nil:
		c.queue.add(c)
	case c.dead, c.closed && len(s.data) > 0:
		c.dead = true
		c.out.sendReset(true)
	case len(s.data) > 0 && c.n.chance(c.in.path.rules().Reset):
		c.breakDown()
	case len(s.data) > 0:
		c.in.buf = append(c.in.buf, s.data...)
		c.n.trace("%v got %d bytes", c, len(s.data))
		c.wakeReader()
	case s.fin:
		c.in.fin = true
		if s.gone {
			c.gone = true
			c.wakeWriter()
		}
		c.n.trace("%v got the end", c)
		c.wakeReader()
	}
}

// reset is the arrival of a reset. One whose peer had closed properly before does
// not hear of it when it reads (Linux's tcp_reset).
func (c *Conn) reset() {
	if c.dead {
		return
	}
	c.dead = true
	c.n.stats.Resets++
	c.n.trace("%v was reset", c)
	if c.queue != nil && c.embryo {
		c.queue.forget(c)
	}
	if c.closed {
		return
	}
	c.err = syscall.ECONNRESET
	if c.in.fin && !c.shut {
		c.err = syscall.EPIPE
	}
	c.wakeReader()
	c.wakeWriter()
}

// breakDown resets both ends, and nothing arrives any more.
func (c *Conn) breakDown() {
	c.wire.lost = true
	c.reset()
	c.out.to.reset()
}

func (c *Conn) String() string {
	return c.network + " " + c.local.String() + "->" + c.remote.String()
}
