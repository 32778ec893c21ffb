package keepalive

// What follows is lending and taking back without any actions, for who has made sure
// that there are none but those which the table's user does by itself: to watch the
// connection, or not, and to begin or forget its idle time.

// atHand is the idle connection that allocate would lend for key, if that were all it
// had to do; nil otherwise.
func (t *table) atHand(key Key) *conn {
	c := t.newestIdle(key)
	if c == nil || t.shut || t.full(c.host) || t.aged(c) {
		return nil
	}
	return c
}

// handOut lends it for a request.
func (t *table) handOut(c *conn, req RequestID) {
	t.pick(c)
	c.state, c.reply = lent, req
	c.host.busy++
	c.host.counts.lent(Immediate)
	t.undelivered[req] = c
}

// mayRest reports whether a clean connection, which may be nil, would stay idle after its
// release, and nothing else would come of that.
func (t *table) mayRest(c *conn) bool {
	return c != nil && c.state == lent && !t.shut && t.waiting == 0 && !t.aged(c)
}

// rest makes it idle, and returns the timer for that; 0 without end.
func (t *table) rest(c *conn) timerID {
	t.settle(c)
	t.park(c)
	t.parked = nil
	c.watched = true
	if t.idleTime(c) != NoLimit {
		t.lastTimer++
		c.timer = t.lastTimer
		t.timers[c.timer] = timed{conn: c}
	}
	return c.timer
}
