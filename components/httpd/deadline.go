package httpd

import (
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

	writeBy atomic.Int64 // when what is written now is late, since epoch; 0: no such limit is set
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
	d, now := c.server.cfg.WriteTimeout, time.Since(epoch)
	if due := time.Duration(c.writeBy.Load()); d <= 0 || due != 0 && due-now >= d {
		return nil
	}
	d += d / 8
	c.writeBy.Store(int64(now + d))
	return c.Conn.SetWriteDeadline(deadline(d))
}

// SetWriteDeadline is called by net/http after each request, to lift a limit. Here
// each Write has one of its own, and nothing is to be done.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() && c.server.cfg.WriteTimeout > 0 {
		return nil
	}
	c.writeBy.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.later = false
	c.writeBy.Store(0)
	return c.Conn.SetDeadline(t)
}
