package keepalive

import (
	"cmp"
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
	evRelease  kernel.Event[*loan]     = "release"  // called, or posted
	evReport   kernel.Event[report]    = "report"   // called
	evShutdown kernel.Event[struct{}]  = "shutdown" // called
	evStats    kernel.Event[struct{}]  = "stats"    // called
	evDialed   kernel.Event[*dialing]  = "dialed"
	evTimer    kernel.Event[timerID]   = "timer"
	evTick     kernel.Event[struct{}]  = "tick"
	evWatch    kernel.Event[*watcher]  = "watch"   // called
	evUnwatch  kernel.Event[*watcher]  = "unwatch" // called
	evTell     kernel.Event[*watcher]  = "tell"
	evGone     string                  = "gone" // a requester stopped
)

// keeper is the pool's session: it does what the table decides.
type keeper struct {
	*counter // guards what follows
	pool     *Pool
	table    *table

	asking *order               // whose allocate is being done
	orders map[RequestID]*order // the others that were asked for and not answered
	conns  map[connID]*entry    // open, idle or lent
	dialer *dialer              // has those being opened …
	began  map[connID]time.Time // … since then
	timers map[timerID]kernel.TimerID
	known  map[kernel.Address]bool           // sessions whose end we want to hear of
	wards  map[kernel.Address]*kernel.Source // of these, who had a connection to ask for
	over   bool                              // the session has ended

	watchers []*watcher
	then     []message // not told to the table yet
	ticks    ticks
	times    times
}

func newKeeper(p *Pool) *keeper {
	k := &keeper{
		counter: &counter{clock: p.k.Now},
		pool:    p,
		orders:  map[RequestID]*order{},
		conns:   map[connID]*entry{},
		began:   map[connID]time.Time{},
		timers:  map[timerID]kernel.TimerID{},
		known:   map[kernel.Address]bool{},
		wards:   map[kernel.Address]*kernel.Source{},
	}
	k.table = newTable(p.cfg, k.now, nil) // start brings the chance
	k.table.sound = func(id connID) bool { return k.conns[id].look() == clean }
	return k
}

func (p *keeper) states() []session.State {
	return []session.State{
		session.Handle("_start", p.start),
		session.Handle("_stop", p.stop),
		session.On(evAllocate, p.allocate),
		session.On(evCancel, p.cancel),
		session.On(evRelease, p.release),
		session.On(evReport, p.report),
		session.On(evShutdown, p.shutdown),
		session.On(evStats, p.stats),
		session.On(evDialed, p.dialed),
		session.On(evTimer, p.timer),
		session.On(evTick, p.tick),
		session.On(evWatch, p.watchStats),
		session.On(evUnwatch, p.unwatchStats),
		session.On(evTell, p.tellStats),
		session.Handle(evGone, p.gone),
	}
}

func (p *keeper) start(c *kernel.Context) error {
	p.table.chance = chance(c)
	p.dialer = newDialer(c, &p.pool.cfg)
	c.Kernel().Describe(p.pool.alias, func() any { s, _ := p.pool.Stats(); return s })
	return nil
}

func (p *keeper) allocate(c *kernel.Context, o *order) error {
	if o.who != "" && p.wards[o.who] == nil {
		if err := p.know(c, o.who); err != nil {
			return err
		}
		o.first = true
	}
	o.asked = p.now()
	if l := p.lendAtHand(o); l != nil {
		p.deliver(c, o, l, Immediate, nil)
		p.follow(c)
		return nil
	}
	p.asking = o
	err := p.apply(c, allocate{req: o.id, key: o.key, timeout: o.timeout, fresh: o.fresh})
	o.waiting = p.asking != nil && err == nil
	p.asking = nil
	if o.waiting {
		p.orders[o.id] = o
		if o.get != nil {
			o.get.done = make(chan struct{})
		}
	}
	return err
}

// know has a session's end reported, once.
func (p *keeper) know(c *kernel.Context, who kernel.Address) error {
	if p.known[who] {
		return nil
	}
	err := c.Monitor(who, evGone)
	if err == nil {
		p.known[who] = true
	}
	return err
}

func (p *keeper) cancel(c *kernel.Context, id RequestID) error {
	if t := p.table.undelivered[id]; t != nil && !p.conns[t.id].loan.void() {
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

func (p *keeper) release(c *kernel.Context, l *loan) error {
	if l.open.loan != l {
		return nil // its release was tried twice, because the first did not return
	}
	l.open.loan = nil
	return p.apply(c, release{l.id, l.as})
}

func (p *keeper) report(c *kernel.Context, r report) error { return p.apply(c, r) }

func (p *keeper) dialed(c *kernel.Context, d *dialing) error {
	end, now := d.take(), c.Now()
	took := now.Sub(p.began[d.id])
	delete(p.began, d.id)
	if end.err != nil {
		return p.apply(c, dialFailed{d.id, end.function, end.err})
	}
	p.times.open.observe(took)
	p.conns[d.id] = newEntry(end.conn, now)
	return p.apply(c, dialed{d.id})
}

func (p *keeper) timer(c *kernel.Context, t timerID) error {
	delete(p.timers, t)
	return p.apply(c, timeUp{t})
}

// gone takes back what a requester that stopped has left behind (A82). Its wheel
// has ended with it.
func (p *keeper) gone(c *kernel.Context) error {
	who, _ := c.Arg(0).(kernel.Address)
	if who == "" { // the owner of what Get was given
		return nil
	}
	delete(p.known, who)
	var orders []RequestID
	for id, o := range p.orders {
		if o.who == who {
			orders = append(orders, id)
		}
	}
	slices.Sort(orders)
	for _, id := range orders {
		if err := p.cancel(c, id); err != nil {
			return err
		}
	}
	var loans []*loan
	for _, e := range p.conns {
		if l := e.loan; l != nil && l.order.who == who && l.claim() {
			loans = append(loans, l)
		}
	}
	slices.SortFunc(loans, func(a, b *loan) int { return cmp.Compare(a.id, b.id) })
	for _, l := range loans {
		l.open.close()
		p.takeBack(l, closed)
	}
	p.forget(c, func(w *watcher) bool { return w.who == who })
	p.follow(c)
	return nil
}

func (p *keeper) shutdown(c *kernel.Context, _ struct{}) error {
	c.Kernel().Describe(p.pool.alias, nil)
	_ = c.AliasRemove(p.pool.alias) // ErrNoSession the second time
	err := p.apply(c, shutDown{})
	p.forget(c, func(*watcher) bool { return true })
	p.rest(c)
	return err
}

// stop closes what the pool still has when its session ends with its kernel,
// without Shutdown: also connections whose answer nobody has looked at. Those in
// use are their users'.
func (p *keeper) stop(c *kernel.Context) error {
	c.Kernel().Describe(p.pool.alias, nil)
	for _, id := range slices.Sorted(maps.Keys(p.conns)) {
		e := p.conns[id]
		if e.loan == nil || !p.table.shut && e.loan.void() {
			e.close()
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.orders)) {
		o := p.orders[id]
		o.letGo()
		if o.get != nil {
			o.get.settle(nil, o.shutDown())
		}
	}
	for _, w := range p.watchers {
		w.lease.Release()
	}
	if p.table.shut { // or else they end, too
		for _, who := range slices.Sorted(maps.Keys(p.wards)) {
			p.wards[who].Wake()
		}
	}
	p.over, p.table.shut = true, true // for who comes to the counter
	return nil
}

func (p *keeper) stats(c *kernel.Context, _ struct{}) error {
	c.Return(p.snapshot())
	return nil
}

var background = context.Background()
