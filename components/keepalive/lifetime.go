package keepalive

import "time"

// age gives a new connection its end (Config.MaxLifetime).
func (t *table) age(c *conn) {
	if life := t.cfg.MaxLifetime; life != NoLimit {
		c.ends = t.now().Add(shortened(life, t.chance()))
	}
}

// aged reports whether the lifetime of c is over.
func (t *table) aged(c *conn) bool {
	return !c.ends.IsZero() && !t.now().Before(c.ends)
}

// agedOr is why c is closed: for its age, if that is reached, whatever else.
func (t *table) agedOr(c *conn, why reason) reason {
	if t.aged(c) {
		return becauseAged
	}
	return why
}

// idleTime is how long c may stay idle: for Config.KeepAlive, and not beyond its
// lifetime. NoLimit without either.
func (t *table) idleTime(c *conn) time.Duration {
	after := t.cfg.KeepAlive
	if c.ends.IsZero() {
		return after
	}
	left := max(0, c.ends.Sub(t.now()))
	if after == NoLimit {
		return left
	}
	return min(after, left)
}
