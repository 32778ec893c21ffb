package keepalive

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// apply tells the table what happened and does what it decides.
func (p *keeper) apply(c *kernel.Context, m message) error {
	actions, err := p.table.apply(m)
	if err != nil {
		return err
	}
	for _, a := range actions {
		if err := p.perform(c, a); err != nil {
			return err
		}
	}
	return nil
}

func (p *keeper) perform(c *kernel.Context, a action) error {
	switch a := a.(type) {
	case answer:
		return p.answer(c, a)
	case withdraw:
		return p.withdraw(c, a)
	case dial:
		p.dial(c, a)
	case abortDial:
		p.dials[a.conn].cancel()
	case watch:
		p.keepSweeping(c)
	case unwatch: // nothing reads an idle connection between two looks
	case discard:
		p.discard(a)
	case startTimer:
		p.timers[a.timer] = evTimer.DelaySet(c, a.after, a.timer)
	case stopTimer:
		if id, ok := p.timers[a.timer]; ok {
			delete(p.timers, a.timer)
			_, _ = c.AlarmRemove(id)
		}
	default:
		return fmt.Errorf("%w: no way to do %T", errBug, a)
	}
	return nil
}

// answer posts a request's one reply (A26, A45). If the requester stopped in
// the meantime, its connection comes straight back.
func (p *keeper) answer(c *kernel.Context, a answer) error {
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
	if a.conn != 0 {
		r.Conn = &Conn{pool: p.pool, id: a.conn, owner: o.who, net: p.idle[a.conn], key: o.key}
		delete(p.idle, a.conn)
		p.lent[a.conn] = r.Conn
		if a.from != Fresh {
			r.FromCache = a.from.String()
		}
	}
	err := o.req.Event.Post(c, o.who, r)
	o.letGo()
	if err != nil && r.Conn != nil {
		return p.takeBack(c, r.Conn, r.Conn.condition())
	}
	return nil
}

// withdraw voids an answer that nobody has looked at (A103).
func (p *keeper) withdraw(c *kernel.Context, a withdraw) error {
	conn := p.lent[a.conn]
	return p.takeBack(c, conn, inspect(conn.net))
}

func (p *keeper) discard(a discard) {
	conn := p.idle[a.conn]
	delete(p.idle, a.conn)
	if a.why == becauseUnread {
		abort(conn)
	}
	_ = conn.Close()
}
