package keepalive

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// The pool's session takes these. The called ones run on the caller's goroutine,
// beside which others wait: nothing here blocks.
const (
	evAllocate kernel.Event[*order]    = "allocate" // called
	evCancel   kernel.Event[RequestID] = "cancel"   // called
	evRelease  kernel.Event[giveBack]  = "release"  // called, or posted
	evShutdown kernel.Event[struct{}]  = "shutdown" // called
	evStats    kernel.Event[struct{}]  = "stats"    // called
	evDialed   kernel.Event[*dialing]  = "dialed"
	evTimer    kernel.Event[timerID]   = "timer"
	evSweep    kernel.Event[struct{}]  = "sweep"
	evGone     string                  = "gone" // a requester stopped
)

// keeper is the pool's session: it does what the table decides.
type keeper struct {
	pool  *Pool
	table *table

	orders map[RequestID]*order // asked for, not answered
	lent   map[connID]*loan     // answered with, not released
	idle   map[connID]*entry    // open and in the pool
	dialer *dialer              // has those being opened
	timers map[timerID]kernel.TimerID
	known  map[kernel.Address]bool // requesters whose end we want to hear of

	then     []message // not told to the table yet
	sweeping bool
}

// giveBack is a connection whose user is done with it.
type giveBack struct {
	loan *loan
	as   condition
}

func newKeeper(p *Pool) *keeper {
	return &keeper{
		pool:   p,
		table:  newTable(p.cfg),
		orders: map[RequestID]*order{},
		lent:   map[connID]*loan{},
		idle:   map[connID]*entry{},
		timers: map[timerID]kernel.TimerID{},
		known:  map[kernel.Address]bool{},
	}
}

func (p *keeper) states() []session.State {
	return []session.State{
		session.Handle("_start", p.start),
		session.Handle("_stop", p.stop),
		session.On(evAllocate, p.allocate),
		session.On(evCancel, p.cancel),
		session.On(evRelease, p.release),
		session.On(evShutdown, p.shutdown),
		session.On(evStats, p.stats),
		session.On(evDialed, p.dialed),
		session.On(evTimer, p.timer),
		session.On(evSweep, p.sweep),
		session.Handle(evGone, p.gone),
	}
}

func (p *keeper) start(c *kernel.Context) error {
	p.dialer = newDialer(c, &p.pool.cfg)
	c.Kernel().Describe(p.pool.alias, func() any { s, _ := p.pool.Stats(); return s })
	return nil
}

func (p *keeper) allocate(c *kernel.Context, o *order) error {
	if o.got == nil {
		if err := p.know(c, o.who); err != nil {
			return err
		}
	}
	if err := p.weed(c, o.key); err != nil {
		return err
	}
	p.orders[o.id] = o
	if err := p.apply(c, allocate{req: o.id, key: o.key, timeout: o.req.Timeout}); err != nil {
		delete(p.orders, o.id)
		return err
	}
	o.waiting = p.orders[o.id] != nil
	return nil
}

// know has a requester's end reported, once.
func (p *keeper) know(c *kernel.Context, who kernel.Address) error {
	if p.known[who] {
		return nil
	}
	p.known[who] = true
	return c.Monitor(who, evGone)
}

// weed drops idle connections of a key that died, until the one that would be
// lent next is alive (A93, A95).
func (p *keeper) weed(c *kernel.Context, key Key) error {
	for {
		next := p.table.newestIdle(key)
		if next == nil || p.idle[next.id].look() == clean {
			return nil
		}
		if err := p.apply(c, readable{next.id}); err != nil {
			return err
		}
	}
}

func (p *keeper) cancel(c *kernel.Context, id RequestID) error {
	if t := p.table.undelivered[id]; t != nil && !p.lent[t.id].void() {
		if err := p.apply(c, delivered{id}); err != nil { // its user was faster
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

func (p *keeper) release(c *kernel.Context, b giveBack) error {
	if p.lent[b.loan.id] != b.loan {
		return nil // its release was tried twice, because the first did not return
	}
	p.takeBack(b.loan, b.as)
	return p.apply(c)
}

func (p *keeper) dialed(c *kernel.Context, d *dialing) error {
	end := d.take()
	if end.err != nil {
		return p.apply(c, dialFailed{d.id, end.function, end.err})
	}
	p.idle[d.id] = &entry{net: end.conn, opened: c.Now()}
	return p.apply(c, dialed{d.id})
}

func (p *keeper) timer(c *kernel.Context, t timerID) error {
	delete(p.timers, t)
	return p.apply(c, timeUp{t})
}

// sweep looks once a second whether idle connections still stand, so that a
// peer's close is noticed without a goroutine for each of them.
func (p *keeper) sweep(c *kernel.Context, _ struct{}) error {
	p.sweeping = false
	for _, t := range slices.Clone(p.table.idle) {
		if e := p.idle[t.id]; e != nil && e.look() != clean {
			if err := p.apply(c, readable{t.id}); err != nil {
				return err
			}
		}
	}
	p.keepSweeping(c)
	return nil
}

const sweepEvery = time.Second

func (p *keeper) keepSweeping(c *kernel.Context) {
	if !p.sweeping && len(p.table.idle) > 0 {
		p.sweeping = true
		evSweep.Delay(c, sweepEvery, struct{}{})
	}
}

// stopSweeping lets the pool end at once when nothing is idle. Lending the last
// idle connection does not call it: it may soon be back.
func (p *keeper) stopSweeping(c *kernel.Context) {
	if p.sweeping && len(p.table.idle) == 0 {
		p.sweeping = false
		c.AlarmClear(evSweep.Name())
	}
}

// gone takes back what a requester that stopped has left behind (A82). Its wheel
// has ended with it.
func (p *keeper) gone(c *kernel.Context) error {
	who, _ := c.Arg(0).(kernel.Address)
	delete(p.known, who)
	for _, id := range slices.Sorted(maps.Keys(p.orders)) {
		if o := p.orders[id]; o != nil && o.who == who {
			if err := p.cancel(c, id); err != nil {
				return err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.lent)) {
		if l := p.lent[id]; l.owner == who && l.claim() {
			l.open.close()
			p.takeBack(l, closed)
		}
	}
	return p.apply(c)
}

func (p *keeper) shutdown(c *kernel.Context, _ struct{}) error {
	c.Kernel().Describe(p.pool.alias, nil)
	_ = c.AliasRemove(p.pool.alias) // ErrNoSession the second time
	err := p.apply(c, shutDown{})
	p.stopSweeping(c)
	return err
}

// stop closes what the pool still has when its session ends with its kernel,
// without Shutdown: also connections whose answer nobody has looked at. Those in
// use are their users'.
func (p *keeper) stop(c *kernel.Context) error {
	c.Kernel().Describe(p.pool.alias, nil)
	for _, e := range p.idle {
		e.close()
	}
	for _, l := range p.lent {
		if !p.table.shut && l.void() {
			l.open.close()
		}
	}
	for id, o := range p.orders {
		o.letGo()
		if o.got != nil {
			o.got <- Response{ID: id, Err: &Error{Function: "shutdown", Key: o.key, Err: ErrShutDown}}
		}
	}
	return nil
}

func (p *keeper) stats(c *kernel.Context, _ struct{}) error {
	c.Return(p.table.stats())
	return nil
}

var background = context.Background()
