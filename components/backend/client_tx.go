package backend

import (
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

func isTx(name string) bool {
	switch name {
	case cmdBegin, cmdTxSend, cmdCommit, cmdRollback, cmdOutcome:
		return true
	}
	return false
}

// transact keeps the book of the connection's transactions, and has the desk
// carry out what is committed.
func (p *client) transact(c *kernel.Context, f filter.Frame) error {
	id, now := text(f.Args, 0), c.Now()
	switch f.Name {
	case cmdBegin:
		if p.consents {
			return p.refuse(c, f, "the server is about to close; begin again on the next connection", codeRolledBack)
		}
		if err := p.book.begin(id, now); err != nil {
			return p.refuseErr(c, f, err)
		}
		p.watchBook(c)
		return p.done(c, f, p.srv.outcomes.token(now))
	case cmdTxSend:
		parcel, err := p.parcelOf(text(f.Args, 1), text(f.Args, 2), list(f.Args, 3))
		p.book.add(id, parcel, err)
		return nil
	case cmdCommit:
		return p.commit(c, f, id)
	case cmdRollback:
		p.book.rollback(id)
		p.watchBook(c)
		return p.done(c, f)
	case cmdOutcome:
		v, err := evOutcome.Call(c, p.desk, outcomeAsk{id, text(f.Args, 1)})
		if err != nil {
			return nil // a desk that ends takes us along
		}
		return p.done(c, f, v)
	}
	return nil
}

// commit: once the desk has taken the messages they are on their way, all of them.
func (p *client) commit(c *kernel.Context, f filter.Frame, id string) error {
	parcels, err := p.book.commit(id, number(f.Args, 1))
	p.watchBook(c)
	if err != nil {
		return p.refuseErr(c, f, err)
	}
	v, err := evCommit.Call(c, p.desk, commission{id, parcels})
	switch counts, ok := v.([]any); {
	case err != nil:
		return nil // likewise
	case !ok:
		return p.refuse(c, f, "the transaction was said to be rolled back before", codeRolledBack)
	default:
		return p.done(c, f, counts...)
	}
}

func (p *client) done(c *kernel.Context, f filter.Frame, args ...any) error {
	if f.ID == 0 {
		return nil // nobody waits for it
	}
	return p.answer(c, filter.Frame{Name: evReply, Args: args, ReplyTo: f.ID})
}

// watchBook has the next transaction expire in time, and the card be right.
func (p *client) watchBook(c *kernel.Context) {
	_, next := p.book.expire(c.Now())
	c.AlarmClear(evExpire.Name())
	if !next.IsZero() {
		evExpire.Alarm(c, next, struct{}{})
	}
	p.card.note(func(s *ConnStatus) { s.Tx = len(p.book.open) })
	p.finished(c)
}

func (p *client) expire(c *kernel.Context, _ struct{}) error {
	p.watchBook(c)
	return nil
}
