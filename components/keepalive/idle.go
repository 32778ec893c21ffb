package keepalive

// park makes c, until now busy, the newest idle connection of its host.
func (t *table) park(c *conn) {
	c.state = idle
	c.host.busy--
	c.host.idle = append(c.host.idle, c)
	t.idle = append(t.idle, c)
	t.parked = c
}

// unpark ends the watch and the timer of an idle connection, before anything
// else is done with it (A97).
func (t *table) unpark(c *conn) {
	if c.watched {
		t.do(unwatch{c.id})
		t.stop(c.timer)
	}
	t.pick(c)
}

// pick takes c off the lists of what is idle, without a word.
func (t *table) pick(c *conn) {
	c.host.idle = without(c.host.idle, c)
	t.idle = without(t.idle, c)
	delete(t.timers, c.timer)
	c.watched, c.timer = false, 0
}

// watchParked starts watch and timer of the connection that became idle by
// this message (A94), unless a waiting request got it or it made room for one.
func (t *table) watchParked() {
	c := t.parked
	t.parked = nil
	if c == nil || c.state != idle {
		return
	}
	c.watched = true
	t.do(watch{c.id})
	if after := t.idleTime(c); after != NoLimit {
		c.timer = t.start(after, timed{conn: c})
	}
}

// newestIdle is the connection to lend for key: the one returned last, as it
// is the least likely to be closed by its peer soon (A70). Nil without.
func (t *table) newestIdle(key Key) *conn {
	h := t.hosts[key]
	if h == nil || len(h.idle) == 0 {
		return nil
	}
	return h.idle[len(h.idle)-1]
}

// lendable is the newest idle connection of h that may be lent, nil without. On the way
// to it those are closed whose lifetime ended, and whose timer was not heard of yet, and
// those that died (A93, A95). However short ago one was looked at: what its peer did
// since then would be the next user's error. Only the one that comes back by this message
// was looked at for it.
func (t *table) lendable(h *host) *conn {
	for len(h.idle) > 0 {
		c := h.idle[len(h.idle)-1]
		switch {
		case t.aged(c):
			t.discard(c, becauseAged)
		case c != t.parked && !t.sound(c.id):
			t.discard(c, becauseReadable)
		default:
			return c
		}
	}
	return nil
}

// evict closes the connection that was idle longest, of any host (A66, A67),
// and reports whether there was one. Lent and evicted ones have left the list,
// so neither can be chosen again (A68, A69).
func (t *table) evict() bool {
	if len(t.idle) == 0 {
		return false
	}
	t.discard(t.idle[0], becauseEvicted)
	return true
}
