package wheeltest

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// Dial connects over tcp, udp (each with 4 or 6), unix or unixgram, and waits for
// it. All addresses of a name are tried, one after the other, in SetHost's order;
// the error is that of the first. kernel.WithLocalAddress says where from, else
// this is an address of the host, with a port that is chosen.
func (h Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	n := h.n
	n.lock()
	virtual := n.virtual
	n.unlock()
	if virtual {
		return nil, failed("dial", "", network, nil, nil, ErrWouldWait)
	}
	type outcome struct {
		conn net.Conn
		err  error
	}
	c := make(chan outcome, 1)
	h.DialAsync(ctx, network, address, func(conn net.Conn, err error) { c <- outcome{conn, err} })
	o := <-c
	return o.conn, o.err
}

// DialAsync is Dial without waiting; see kernel.AsyncNetwork. With a simulated
// kernel a context's end is noticed when an answer comes, and cancel is the way to
// give up before.
func (h Host) DialAsync(ctx context.Context, network, address string, done func(net.Conn, error)) (cancel func()) {
	n := h.n
	n.lock()
	defer n.unlock()
	n.stats.Dials++
	a := &attempt{h: h, n: n, ctx: ctx, network: network, address: address, from: kernel.LocalAddress(ctx), made: caller()}
	a.ask = newAsk(ctx, n, done)
	a.ask.retract, a.ask.wrap = a.giveUp, a.interrupted
	n.open.add(a, a.made)
	begin := a.begin
	if ctx.Err() != nil {
		begin = func() { a.end(a.interrupted(contextError(ctx))) }
	}
	n.after(n.cfg.LookupDelay, begin)
	return a.ask.cancel
}

// attempt is a dial under way.
type attempt struct {
	h                Host
	n                *Network
	ctx              context.Context
	ask              *ask[net.Conn]
	network, address string
	from             string // kernel.WithLocalAddress
	made             string

	left          []endpoint // still to be tried
	local, remote endpoint
	port          netip.AddrPort // taken for it
	first         error
	over          bool
}

func (a *attempt) String() string { return "dial " + a.network + " " + a.address }

func (a *attempt) begin() {
	if a.over {
		return
	}
	err := a.n.failing.dials.next(a.address)
	if err != nil {
		a.end(failed("dial", "connect", a.network, nil, nil, err))
		return
	}
	list, err := a.h.endpoints(a.network, a.address)
	if err != nil {
		a.end(failed("dial", "", a.network, nil, nil, err))
		return
	}
	a.left = a.h.here(list)
	a.next()
}

// next tries the next address.
func (a *attempt) next() {
	if len(a.left) == 0 {
		if a.first == nil {
			a.first = failed("dial", "connect", a.network, nil, nil, syscall.ENETUNREACH)
		}
		a.end(a.first)
		return
	}
	a.remote, a.left = a.left[0], a.left[1:]
	var err error
	switch kind(a.network) {
	case "udp", "unixgram":
		err = a.connectPacket()
	default:
		if err = a.chooseLocal(); err == nil {
			there, _ := a.n.between(a.local, a.remote)
			there.send(packet{sure: true, do: a.arrive})
		}
	}
	if err != nil {
		a.fail("bind", err)
	}
}

// arrive is the arrival of the wish to connect.
func (a *attempt) arrive() {
	if a.over {
		return
	}
	var l *Listener
	var err error
	if a.network == "unix" {
		l, err = a.n.streams.findPath(a.remote.path)
	} else if found, ok := a.n.streams.find(a.n, a.remote.addr); ok {
		l = found
	} else {
		err = syscall.ECONNREFUSED
	}
	if err != nil {
		a.refuse(err)
		return
	}
	l.knock(a)
}

// refuse sends the answer that nobody listens.
func (a *attempt) refuse(err error) {
	_, back := a.n.between(a.local, a.remote)
	back.send(packet{sure: true, do: func() {
		a.n.stats.Refused++
		a.fail("connect", err)
	}})
}

// fail is the end of one address.
func (a *attempt) fail(call string, err error) {
	if a.over {
		return
	}
	a.release()
	if a.first == nil {
		a.first = failed("dial", call, kind(a.network), nil, a.remote.address(a.network), err)
	}
	a.next()
}

// connected is the arrival of the peer's consent.
func (a *attempt) connected(c *Conn) {
	if a.ctx.Err() != nil {
		a.release()
		a.end(a.interrupted(contextError(a.ctx)))
	}
	if a.over {
		c.dead = true
		c.out.sendReset(true)
		return
	}
	a.port = netip.AddrPort{} // c's from now on
	c.out.send(segment{begin: true})
	a.n.trace("%v connected", c)
	a.succeed(c, c)
}

// succeed hands out what was made of x.
func (a *attempt) succeed(x any, c net.Conn) {
	a.over = true
	a.n.open.remove(a)
	a.n.open.add(x, a.made)
	a.n.call(func() {
		if !a.ask.answer(c, nil) {
			_ = c.Close()
		}
	})
}

func (a *attempt) end(err error) {
	if a.over {
		return
	}
	a.over = true
	a.n.open.remove(a)
	a.n.trace("%v: %v", a, err)
	a.n.call(func() { a.ask.answer(nil, err) })
}

// interrupted is the error of a dial whose context ends.
func (a *attempt) interrupted(err error) error {
	var to net.Addr
	if a.remote != (endpoint{}) {
		to = a.remote.address(a.network)
	}
	return failed("dial", "", kind(a.network), nil, to, err)
}

// giveUp is called when nobody asks any more.
func (a *attempt) giveUp() {
	a.n.lock()
	defer a.n.unlock()
	a.abandon()
}

func (a *attempt) abandon() {
	if !a.over {
		a.over = true
		a.release()
		a.n.open.remove(a)
	}
}

func (a *attempt) release() {
	delete(a.n.ports.dialing, a.port)
	a.port = netip.AddrPort{}
}
