package keepalive

import (
	"fmt"
	"time"
)

// conn is one connection, from the start of its dial to its end.
type conn struct {
	id      connID
	host    *host
	state   connState
	owner   *request  // opening: who waits for it, nil when that one left
	reply   RequestID // lent: the answer it went out with, until delivered
	watched bool      // idle
	timer   timerID   // idle, 0 without
	ends    time.Time // its lifetime, once it is open; zero without an end
}

type connState int

const (
	opening connState = iota
	lent
	idle
	gone
)

// open starts a connection for r. It counts from now on (A65).
func (t *table) open(h *host, r *request) {
	t.lastConn++
	c := &conn{id: t.lastConn, host: h, state: opening, owner: r}
	t.conns[c.id] = c
	h.busy++
	r.dial = c
	t.do(dial{c.id, r.id, h.key})
}

// dialed gives a connection to the request that caused it (A74). If that one
// has left, the connection is as good as one that was returned: its slot is
// still held, so the limits allow to keep it.
func (t *table) dialed(m dialed) error {
	c, err := t.dialing(m.conn)
	if err != nil {
		return err
	}
	t.age(c)
	t.opened(c)
	switch {
	case c.owner != nil:
		t.handOver(c, c.owner, Fresh)
	case t.shut:
		t.discard(c, becauseShutDown)
	default:
		t.park(c)
	}
	return nil
}

// dialFailed frees the slot and tells the owner (A75).
func (t *table) dialFailed(m dialFailed) error {
	c, err := t.dialing(m.conn)
	if err != nil {
		return err
	}
	c.host.counts.Failed++
	if r := c.owner; r != nil {
		t.openingFailed(r, m.function, m.err)
		t.refuse(r, m.function, m.err)
	}
	t.forget(c)
	return nil
}

func (t *table) dialing(id connID) (*conn, error) {
	c := t.conns[id]
	if c == nil || c.state != opening {
		return nil, fmt.Errorf("%w: connection %d is not being opened; report the end of each dial once", errBug, id)
	}
	return c, nil
}

// lend hands an idle connection to r.
func (t *table) lend(c *conn, r *request, from From) {
	t.unpark(c)
	c.host.busy++
	t.handOver(c, r, from)
}

func (t *table) handOver(c *conn, r *request, from From) {
	t.finish(r)
	c.host.counts.lent(from)
	c.state, c.owner, c.reply = lent, nil, r.id
	t.undelivered[r.id] = c
	t.do(answer{req: r.id, conn: c.id, from: from})
}

// settle notes that the answer that lent c cannot be withdrawn any more.
func (t *table) settle(c *conn) {
	if c != nil {
		delete(t.undelivered, c.reply)
		c.reply = 0
	}
}

// release takes a connection back: to be lent again, or only to be closed
// (A90). After shutdown it asks no questions (A88, A108).
func (t *table) release(m release) error {
	c := t.conns[m.conn]
	switch {
	case c == nil || c.state != lent:
		if !t.shut {
			return fmt.Errorf("keepalive: connection %d: %w", m.conn, ErrNotLent)
		}
	case t.shut:
		t.discard(c, becauseShutDown)
	case m.as == clean && t.aged(c):
		t.discard(c, becauseAged)
	case m.as == clean:
		t.settle(c)
		t.park(c)
	case m.as == unread:
		t.discard(c, becauseUnread)
	default:
		t.discard(c, becauseClosed)
	}
	return nil
}

// discard closes c, which is not being opened for anyone.
func (t *table) discard(c *conn, why reason) {
	c.host.counts.closed(why)
	t.forget(c)
	t.do(discard{c.id, why})
}

// forget takes c out of all books.
func (t *table) forget(c *conn) {
	if c.state == idle {
		t.unpark(c)
	} else {
		c.host.busy--
		t.settle(c)
	}
	c.state = gone
	delete(t.conns, c.id)
	t.tidy(c.host)
}
