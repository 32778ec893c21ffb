package wheeltest

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// Listener accepts stream connections.
type Listener struct {
	bound
	n        *Network
	address  net.Addr
	made     string
	backlog  int
	coming   int // connections that will be in ready
	ready    []*Conn
	waiting  []*attempt // that the backlog has no room for
	errs     []error    // what the next accepts fail with
	closed   bool
	keepFile bool

	acceptable sync.Cond
	until      deadline
	onAccept   func()
}

var _ wheel.PollableListener = (*Listener)(nil)

// Listen listens on tcp, tcp4, tcp6 or unix. An empty host is every address of
// this host, which with tcp means both families. Port 0 chooses one. Addresses
// that no host has are fine: anybody may play them. kernel.WithReusePort shares a
// port. It does not wait.
func (h Host) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	n := h.n
	n.lock()
	defer n.unlock()
	b, err := h.bindTo(network, address)
	if err == nil && kind(network) != "tcp" && network != "unix" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, failed("listen", "", network, nil, nil, err)
	}
	b.reuse = kernel.ReusePort(ctx) && b.path == ""
	l := &Listener{bound: b, n: n, backlog: n.cfg.Backlog, made: caller()}
	l.acceptable.L = &n.mu
	l.until.init(n, l.wake)
	err = n.streams.bind(n, l)
	l.address = endpoint{l.addr, l.path}.address(network)
	if err != nil {
		return nil, failed("listen", "bind", kind(network), nil, l.address, err)
	}
	n.open.add(l, l.made)
	return l, nil
}

// TryAccept is part of wheel.PollableListener.
func (l *Listener) TryAccept() (net.Conn, error) {
	l.n.lock()
	defer l.n.unlock()
	return l.tryAccept()
}

// Accept waits until a connection has come.
func (l *Listener) Accept() (net.Conn, error) {
	l.n.lock()
	defer l.n.unlock()
	for {
		c, err := l.tryAccept()
		if err == wheel.ErrAgain {
			if err = l.n.wait(&l.acceptable); err == nil {
				continue
			}
			err = l.failed("accept", err)
		}
		return c, err
	}
}

func (l *Listener) tryAccept() (net.Conn, error) {
	switch {
	case l.closed:
		return nil, l.failed("accept", net.ErrClosed)
	case l.until.passed:
		return nil, l.failed("accept", l.until.err())
	case len(l.errs) > 0:
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, l.failed("accept", err)
	case len(l.ready) == 0:
		return nil, wheel.ErrAgain
	}
	c := l.ready[0]
	l.ready = slices.Delete(l.ready, 0, 1)
	c.queue = nil
	l.n.stats.Accepted++
	l.n.open.add(c, l.made)
	l.admitNext()
	return c, nil
}

// knock is the arrival of somebody who wants in. Linux lets it come again while the
// backlog is full; here it comes as soon as there is room.
func (l *Listener) knock(a *attempt) {
	if l.coming+len(l.ready) >= l.backlog {
		l.waiting = append(l.waiting, a)
		return
	}
	l.admit(a)
}

func (l *Listener) admit(a *attempt) {
	theirs, ours := l.n.connect(l.network, a.local, a.remote)
	theirs.port = a.port
	ours.queue, ours.embryo = l, true
	l.coming++
	ours.out.path.send(packet{wire: ours.wire, sure: true, do: func() { a.connected(theirs) }})
}

func (l *Listener) admitNext() {
	for len(l.waiting) > 0 && l.coming+len(l.ready) < l.backlog {
		a := l.waiting[0]
		l.waiting = slices.Delete(l.waiting, 0, 1)
		if !a.over {
			l.admit(a)
		}
	}
}

// add makes a connection one that can be accepted.
func (l *Listener) add(c *Conn) {
	c.embryo = false
	l.coming--
	if l.closed {
		c.queue = nil
		c.abort = true
		c.close()
		return
	}
	l.ready = append(l.ready, c)
	l.n.trace("%v came", c)
	l.wake()
}

// forget is the end of a connection that was given up before it could be accepted.
func (l *Listener) forget(c *Conn) {
	c.queue, c.embryo = nil, false
	l.coming--
	l.admitNext()
}

func (l *Listener) wake() {
	l.acceptable.Broadcast()
	l.n.call(l.onAccept)
}

// Notify is part of wheel.PollableListener.
func (l *Listener) Notify(acceptable func()) {
	l.n.lock()
	defer l.n.unlock()
	l.onAccept = acceptable
}

// FailAccept has the next accepts fail with these errors, one each; connections
// stay where they are. A syscall.Errno comes wrapped as from accept4(2).
func (l *Listener) FailAccept(errs ...error) {
	l.n.lock()
	defer l.n.unlock()
	l.failAccept(errs)
}

func (l *Listener) failAccept(errs []error) {
	l.errs = append(l.errs, errs...)
	l.wake()
}

// SetBacklog changes Config.Backlog for this listener. Who finds no room waits.
func (l *Listener) SetBacklog(n int) {
	l.n.lock()
	defer l.n.unlock()
	l.backlog = max(n, 1)
	l.admitNext()
}

// SetUnlinkOnClose with false leaves the file of a unix socket behind, as a
// process that was killed does.
func (l *Listener) SetUnlinkOnClose(unlink bool) {
	l.n.lock()
	defer l.n.unlock()
	l.keepFile = !unlink
}

// SetDeadline is for Accept and TryAccept, by the network's clock.
func (l *Listener) SetDeadline(t time.Time) error {
	l.n.lock()
	defer l.n.unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.until.set(t)
	return nil
}

// Addr is a *net.TCPAddr or a *net.UnixAddr.
func (l *Listener) Addr() net.Addr { return l.address }

// Close ends the listener. Connections that nobody accepted are reset, those that
// the backlog had no room for refused.
func (l *Listener) Close() error {
	l.n.lock()
	defer l.n.unlock()
	if l.closed {
		return l.failed("close", net.ErrClosed)
	}
	l.close()
	return nil
}

func (l *Listener) close() {
	l.closed, l.onAccept = true, nil
	l.until.set(never)
	l.acceptable.Broadcast()
	l.n.streams.unbind(l, l.keepFile)
	l.n.open.remove(l)
	for _, c := range l.ready {
		c.abort, c.queue = true, nil
		c.close()
	}
	for _, a := range l.waiting {
		a.refuse(syscall.ECONNREFUSED)
	}
	l.ready, l.waiting = nil, nil
}

func (l *Listener) failed(op string, err error) error {
	return failed(op, "accept4", kind(l.network), nil, l.address, err)
}

func (l *Listener) String() string { return kind(l.network) + " listener " + l.address.String() }
