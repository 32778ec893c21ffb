package keepalive

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// apply tells the table what happened and does what it decides. What that leads
// to (p.then) is told afterwards, so that no list of actions is cut in two. The
// error is the first message's: the others cannot be refused.
func (p *keeper) apply(c *kernel.Context, m ...message) (err error) {
	p.then = append(p.then, m...)
	for i := 0; i < len(p.then); i++ {
		actions, refused := p.table.apply(p.then[i])
		if err == nil {
			err = refused
		}
		for _, a := range actions {
			p.perform(c, a)
		}
	}
	p.then = p.then[:0]
	return err
}

func (p *keeper) perform(c *kernel.Context, a action) {
	switch a := a.(type) {
	case answer:
		p.answer(c, a)
	case withdraw: // A103: nobody has looked at the answer
		l := p.lent[a.conn]
		p.takeBack(l, l.open.look())
	case dial:
		p.dialer.dial(a)
	case abortDial:
		p.dialer.abort(a.conn)
	case watch:
		p.keepSweeping(c)
	case unwatch: // nothing reads an idle connection between two looks
	case discard:
		p.discard(c, a)
	case startTimer:
		p.timers[a.timer] = evTimer.DelaySet(c, a.after, a.timer)
	case stopTimer:
		if id, ok := p.timers[a.timer]; ok {
			delete(p.timers, a.timer)
			_, _ = c.AlarmRemove(id)
		}
	default:
		panic(fmt.Sprintf("keepalive: bug: no way to do %T", a))
	}
}

// answer posts a request's one reply (A26, A45). If the requester stopped in
// the meantime, its connection comes straight back.
func (p *keeper) answer(c *kernel.Context, a answer) {
	o := p.orders[a.req]
	delete(p.orders, a.req)
	r := Response{
		ID: a.req, Context: o.req.Context,
		Scheme: o.key.Scheme, Addr: o.key.Addr, Port: o.key.Port,
		ForScheme: o.key.ForScheme, ForAddr: o.key.ForAddr, ForPort: o.key.ForPort,
		Err: a.err,
	}
	if e, ok := a.err.(*Error); ok {
		r.Function = e.Function
	}
	var l *loan
	if a.conn != 0 {
		l = &loan{pool: p.pool, id: a.conn, owner: o.who, open: p.idle[a.conn], key: o.key}
		r.Conn = l.handle()
		delete(p.idle, a.conn)
		l.open.lent++
		p.lent[a.conn] = l
		if a.from != Fresh {
			r.FromCache = a.from.String()
		}
	}
	if o.got != nil {
		o.got <- r
		return
	}
	err := o.req.Event.Post(c, o.who, r)
	o.letGo()
	if errors.Is(err, kernel.ErrQueueFull) {
		c.Kernel().Report("keepalive", "answer dropped: the requester's QueueLimit is reached", err)
	}
	if err != nil && l != nil && l.void() {
		p.takeBack(l, l.open.look())
	}
}

// takeBack puts a connection whose loan has ended before the table.
func (p *keeper) takeBack(l *loan, as condition) {
	delete(p.lent, l.id)
	p.idle[l.id] = l.open
	p.then = append(p.then, release{l.id, as})
}

func (p *keeper) discard(c *kernel.Context, a discard) {
	e := p.idle[a.conn]
	delete(p.idle, a.conn)
	if a.why == becauseUnread {
		abort(e.net)
	}
	e.close()
	p.stopSweeping(c)
}
