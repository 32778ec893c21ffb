package keepalive

import (
	"context"
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// The pool's session takes these.
const (
	evAllocate kernel.Event[*order]    = "allocate" // called
	evCancel   kernel.Event[RequestID] = "cancel"   // called
	evRelease  kernel.Event[*Conn]     = "release"  // called
	evShutdown kernel.Event[struct{}]  = "shutdown" // called
	evStats    kernel.Event[struct{}]  = "stats"    // called
	evDialed   kernel.Event[dialEnd]   = "dialed"
	evTimer    kernel.Event[timerID]   = "timer"
	evSweep    kernel.Event[struct{}]  = "sweep"
	evGone     string                  = "gone" // a requester stopped
)

// keeper is the pool's session: it does what the table decides.
type keeper struct {
	pool  *Pool
	table *table

	orders map[RequestID]*order // asked for, not answered
	lent   map[connID]*Conn     // answered with, not released
	idle   map[connID]net.Conn  // open and in the pool
	dials  map[connID]*dialing  // being opened
	timers map[timerID]kernel.TimerID
	known  map[kernel.Address]bool // requesters whose end we want to hear of

	sweeping bool
}

// order is a request with what belongs to it.
type order struct {
	id  RequestID
	key Key
	req Request
	who kernel.Address

	waiting bool // not answered by the call that brought it
	holding
}

func newKeeper(p *Pool) *keeper {
	return &keeper{
		pool:   p,
		table:  newTable(p.cfg),
		orders: map[RequestID]*order{},
		lent:   map[connID]*Conn{},
		idle:   map[connID]net.Conn{},
		dials:  map[connID]*dialing{},
		timers: map[timerID]kernel.TimerID{},
		known:  map[kernel.Address]bool{},
	}
}

func (p *keeper) states() []session.State {
	return []session.State{
		session.Handle("_start", func(*kernel.Context) error { return nil }),
		session.Handle("_stop", p.stop),
		session.On(evAllocate, p.allocate),
		session.On(evCancel, p.cancel),
		session.On(evRelease, p.release),
		session.On(evShutdown, p.shutdown),
		session.On(evStats, p.stats),
		session.On(evDialed, p.dialed),
		session.On(evTimer, func(c *kernel.Context, t timerID) error {
			delete(p.timers, t)
			return p.apply(c, timeUp{t})
		}),
		session.On(evSweep, p.sweep),
		session.Handle(evGone, p.gone),
	}
}

func (p *keeper) allocate(c *kernel.Context, o *order) error {
	if err := p.weed(c, o.key); err != nil {
		return err
	}
	p.orders[o.id] = o
	if err := p.apply(c, allocate{req: o.id, key: o.key, timeout: o.req.Timeout}); err != nil {
		delete(p.orders, o.id)
		return err
	}
	if p.orders[o.id] != nil {
		o.waiting = true
	}
	if !p.known[o.who] {
		p.known[o.who] = true
		return c.Monitor(o.who, evGone)
	}
	return nil
}

// weed drops idle connections of a key that died, until the one that would be
// lent next is alive (A93, A95).
func (p *keeper) weed(c *kernel.Context, key Key) error {
	for {
		next := p.table.newestIdle(key)
		if next == nil || inspect(p.idle[next.id]) == clean {
			return nil
		}
		if err := p.apply(c, readable{next.id}); err != nil {
			return err
		}
	}
}

func (p *keeper) cancel(c *kernel.Context, id RequestID) error {
	if conn := p.undelivered(id); conn != nil && !conn.void() {
		if err := p.apply(c, delivered{id}); err != nil {
			return err
		}
	}
	err := p.apply(c, cancel{id})
	if o := p.orders[id]; err == nil && o != nil {
		delete(p.orders, id)
		o.letGo()
	}
	return err
}

// undelivered finds the connection that a request was answered with.
func (p *keeper) undelivered(id RequestID) *Conn {
	if t := p.table.undelivered[id]; t != nil {
		return p.lent[t.id]
	}
	return nil
}

func (p *keeper) release(c *kernel.Context, conn *Conn) error {
	if p.lent[conn.id] != conn {
		return ErrNotLent
	}
	return p.takeBack(c, conn, conn.condition())
}

func (p *keeper) takeBack(c *kernel.Context, conn *Conn, as condition) error {
	delete(p.lent, conn.id)
	p.idle[conn.id] = conn.net
	return p.apply(c, release{conn.id, as})
}

func (p *keeper) dialed(c *kernel.Context, end dialEnd) error {
	d := p.dials[end.conn]
	delete(p.dials, end.conn)
	defer d.lease.Release()
	if end.err != nil {
		return p.apply(c, dialFailed{end.conn, end.function, end.err})
	}
	p.idle[end.conn] = end.net
	return p.apply(c, dialed{end.conn})
}

// sweep looks once a second whether idle connections still stand, so that a
// peer's close is noticed without a goroutine for each of them.
func (p *keeper) sweep(c *kernel.Context, _ struct{}) error {
	p.sweeping = false
	for id, conn := range p.idle {
		if inspect(conn) != clean {
			if err := p.apply(c, readable{id}); err != nil {
				return err
			}
		}
	}
	p.keepSweeping(c)
	return nil
}

const sweepEvery = time.Second

func (p *keeper) keepSweeping(c *kernel.Context) {
	if !p.sweeping && len(p.idle) > 0 {
		p.sweeping = true
		evSweep.Delay(c, sweepEvery, struct{}{})
	}
}

// gone takes back what a requester that stopped has left behind (A82).
func (p *keeper) gone(c *kernel.Context) error {
	who, _ := c.Arg(0).(kernel.Address)
	delete(p.known, who)
	for id, o := range p.orders {
		if o.who == who {
			if err := p.cancel(c, id); err != nil {
				return err
			}
		}
	}
	for _, conn := range p.lent {
		if conn.owner == who {
			conn.closeNet()
			if err := p.takeBack(c, conn, closed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *keeper) shutdown(c *kernel.Context, _ struct{}) error {
	for _, a := range c.AliasList() {
		p.pool.k.Describe(a, nil)
		_ = c.AliasRemove(a)
	}
	return p.apply(c, shutDown{})
}

// stop closes what the pool still has, when its session ends without Shutdown.
func (p *keeper) stop(c *kernel.Context) error {
	for _, a := range c.AliasList() {
		p.pool.k.Describe(a, nil)
	}
	for _, d := range p.dials {
		d.cancel()
	}
	for _, conn := range p.idle {
		_ = conn.Close()
	}
	for _, o := range p.orders {
		o.letGo()
	}
	return nil
}

func (p *keeper) stats(c *kernel.Context, _ struct{}) error {
	c.Return(p.table.stats())
	return nil
}

var background = context.Background()
