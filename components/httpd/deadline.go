package httpd

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"
)

// deadlines are those of a connection. net/http moves that for reading seven times
// for each request, and that for writing twice; here the system's timers are touched
// only when it matters: as somebody reads, and for one write in many.
type deadlines struct {
	mu      sync.Mutex
	reading int       // goroutines in Read
	readBy  time.Time // what was asked for …
	later   bool      // … and has to be set before the next Read

	writeBy atomic.Int64  // when what is written now is late, since epoch; 0: no such limit is set
	ownBy   time.Duration // what SetWriteDeadline was asked for, since epoch; 0: nothing
}

// epoch is what writeBy counts from: a clock that nobody sets.
var epoch = time.Now()

// deadline is d from now, or none.
func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// SetReadDeadline is for who reads now, or else for the next.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.later = c.reading == 0; c.later {
		c.readBy = t
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) beginRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.later {
		if err := c.Conn.SetReadDeadline(c.readBy); err != nil {
			return err
		}
		c.later = false
	}
	c.reading++
	return nil
}

func (c *conn) endRead() {
	c.mu.Lock()
	c.reading--
	c.mu.Unlock()
}

// limitWrite gives a write Config.WriteTimeout, and up to an eighth more: so the
// timer of a busy connection is set now and then, and not for each answer.
func (c *conn) limitWrite() error {
	d := c.server.cfg.WriteTimeout
	if due := time.Duration(c.writeBy.Load()); d <= 0 || due != 0 && due-time.Since(epoch) >= d {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.armWrite()
}

// armWrite sets the limit, or the deadline that somebody has asked for, if that comes
// first.
func (c *conn) armWrite() error {
	due, own := time.Duration(0), c.ownBy
	if d := c.server.cfg.WriteTimeout; d > 0 {
		due = time.Since(epoch) + d + d/8
	}
	if own != 0 && (due == 0 || own < due) {
		due = own
	}
	c.writeBy.Store(int64(due))
	if due == 0 {
		return c.Conn.SetWriteDeadline(time.Time{})
	}
	return c.Conn.SetWriteDeadline(epoch.Add(due))
}

// SetWriteDeadline is called by net/http after each request, to lift a limit. Here
// each Write has one of its own, and as a rule nothing is to be done.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.ownBy
	if c.ownBy = 0; !t.IsZero() {
		c.ownBy = cmp.Or(t.Sub(epoch), -1)
	}
	if c.ownBy == 0 && before == 0 {
		return nil
	}
	return c.armWrite()
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}
