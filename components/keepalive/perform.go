package keepalive

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// apply tells the table what happened and does what it decides. What that leads
// to (p.then) is told afterwards, so that no list of actions is cut in two. The
// error is the first message's: the others cannot be refused.
func (p *keeper) apply(c *kernel.Context, m message) error {
	err := p.tell(c, m)
	p.follow(c)
	return err
}

// follow is apply without a message of its own.
func (p *keeper) follow(c *kernel.Context) {
	for i := 0; i < len(p.then); i++ {
		_ = p.tell(c, p.then[i])
	}
	p.then = p.then[:0]
}

func (p *keeper) tell(c *kernel.Context, m message) error {
	actions, err := p.table.apply(m)
	for _, a := range actions {
		p.perform(c, a)
	}
	return err
}

func (p *keeper) perform(c *kernel.Context, a action) {
	switch a := a.(type) {
	case answer:
		p.answer(c, a)
	case withdraw: // A103: nobody has looked at the answer
		e := p.conns[a.conn]
		p.takeBack(e.loan, e.look())
	case dial:
		p.dialer.dial(a)
		p.began[a.conn] = c.Now()
	case abortDial:
		p.dialer.abort(a.conn)
	case watch:
		p.watch(c)
	case unwatch: // nothing reads an idle connection between two looks
	case discard:
		p.discard(c, a)
	case startTimer:
		if t := p.table.timers[a.timer].conn; t != nil {
			p.expire(c, p.conns[t.id], a)
		} else {
			p.timers[a.timer] = evTimer.DelaySet(c, a.after, a.timer)
		}
	case stopTimer: // that of a connection ends with its idleness
		if id, ok := p.timers[a.timer]; ok {
			delete(p.timers, a.timer)
			_, _ = c.AlarmRemove(id)
		}
	default:
		panic(fmt.Sprintf("keepalive: bug: no way to do %T", a))
	}
}

// answer gives a request its one reply (A26, A45). If the requester stopped in
// the meantime, its connection comes straight back.
func (p *keeper) answer(c *kernel.Context, a answer) {
	o := p.take(a.req)
	var l *loan
	if a.conn != 0 {
		l = p.lend(c, o, p.conns[a.conn], a.conn)
	}
	p.deliver(c, o, l, a.from, a.err)
}

// deliver tells a requester, or Get.
func (p *keeper) deliver(c *kernel.Context, o *order, l *loan, from From, err error) {
	var conn *Conn
	if l != nil {
		conn = l.handle()
	}
	p.times.wait.observe(p.now().Sub(o.asked))
	if o.get != nil {
		o.get.settle(conn, err)
		return
	}
	err = o.event.Post(c, o.who, o.response(conn, from, err))
	o.context = nil // the loan has the order, and must not have what may have the Conn
	o.letGo()
	if errors.Is(err, kernel.ErrQueueFull) {
		c.Kernel().Report("keepalive", "answer dropped: the requester's QueueLimit is reached", err)
	}
	if err != nil && l != nil && l.void() {
		p.takeBack(l, l.open.look())
	}
}

// take returns a request that is to be answered.
func (p *keeper) take(id RequestID) *order {
	if o := p.asking; o != nil && o.id == id {
		p.asking = nil
		return o
	}
	o := p.orders[id]
	delete(p.orders, id)
	return o
}

func (o *order) response(conn *Conn, from From, err error) Response {
	r := Response{
		ID: o.id, Context: o.context,
		Scheme: o.key.Scheme, Addr: o.key.Addr, Port: o.key.Port,
		ForScheme: o.key.ForScheme, ForAddr: o.key.ForAddr, ForPort: o.key.ForPort,
		Conn: conn, Err: err,
	}
	if e, ok := err.(*Error); ok {
		r.Function = e.Function
	}
	if conn != nil && from != Fresh {
		r.FromCache = from.String()
	}
	return r
}

func (p *keeper) lend(c *kernel.Context, o *order, e *entry, id connID) *loan {
	l := e.lend(p.pool, o, id)
	if after := p.pool.cfg.LeakAfter; after > 0 {
		now := c.Now()
		l.since = now
		p.wake(c, now, now.Add(after))
	}
	return l
}

// takeBack puts a connection whose loan has ended before the table.
func (p *keeper) takeBack(l *loan, as condition) {
	l.open.loan = nil
	p.then = append(p.then, release{l.id, as})
}

func (p *keeper) discard(c *kernel.Context, a discard) {
	e := p.conns[a.conn]
	delete(p.conns, a.conn)
	if a.why == becauseUnread {
		abort(e.net)
	}
	e.close()
	p.times.ended(c, e)
	p.rest(c)
}
