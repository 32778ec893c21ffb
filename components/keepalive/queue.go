package keepalive

import "slices"

// enqueue puts r behind all that came before it under its key (A58),
// and the host, when r is its only one, behind all that have a turn to come.
func (t *table) enqueue(r *request) {
	h := r.host
	if len(h.waiting) == 0 {
		t.turns = append(t.turns, h)
	}
	h.waiting = append(h.waiting, r)
	t.waiting++
	r.waiting = true
}

func (t *table) dequeue(r *request) {
	h := r.host
	t.stop(r.wait)
	h.waiting = without(h.waiting, r)
	t.waiting--
	r.waiting = false
	if len(h.waiting) == 0 {
		t.turns = without(t.turns, h)
	}
	t.tidy(h)
}

// crowded reports whether one more request of h would be one too many. None that
// is served at once is: since all that can be served are, h has room now only if
// nobody of h waits, and whoever waits elsewhere cannot take that room.
func (t *table) crowded(h *host) bool {
	return t.cfg.MaxWaiting != NoLimit && t.waiting >= t.cfg.MaxWaiting &&
		(t.full(h) || !t.room() && len(t.idle) == 0)
}

// serveWaiting serves all that can be served (A71). Hosts take turns, one
// request each: a host that was served goes to the end, one at its limit is
// passed over but keeps its place (A61). The pass costs one step for each of
// those, and there are never more of them than connections.
func (t *table) serveWaiting() {
	for i := 0; i < len(t.turns); {
		h := t.turns[i]
		if t.full(h) { // A62: before looking at idle ones
			i++
			continue
		}
		if (len(h.idle) == 0 || h.waiting[0].fresh) && !t.room() && !t.evict() {
			return // nothing is idle, so nobody behind can be served either (A63)
		}
		t.turns = cut(t.turns, i)
		t.serveFirst(h)
		if len(h.waiting) > 0 {
			t.turns = append(t.turns, h)
		}
	}
}

// serveFirst gives the first request of h an idle connection, if it takes one, or a
// new one.
func (t *table) serveFirst(h *host) {
	r := h.waiting[0]
	var c *conn
	if !r.fresh {
		c = t.lendable(h)
	}
	h.waiting = cut(h.waiting, 0)
	t.waiting--
	r.waiting = false
	t.stop(r.wait)
	if c != nil {
		t.lend(c, r, Deferred)
	} else {
		t.open(h, r)
	}
}

// full reports whether h may have no more connections lent or being opened.
func (t *table) full(h *host) bool {
	return t.cfg.MaxPerHost != NoLimit && h.busy >= t.cfg.MaxPerHost
}

// room reports whether one more connection may exist.
func (t *table) room() bool {
	return t.cfg.MaxOpen == NoLimit || len(t.conns) < t.cfg.MaxOpen
}

// without returns list without its one element v, in the same order. It looks at the
// front, where those leave whose time is over, and then from the end, where idle
// connections are lent.
func without[T comparable](list []T, v T) []T {
	i := 0
	if list[0] != v {
		for i = len(list) - 1; list[i] != v; i-- {
		}
	}
	return cut(list, i)
}

// many are too many to move up when the first one leaves.
const many = 64

// cut returns list without its element i. The first of many leaves the others where they
// are. That costs room, which append has to find again: a few move up instead, or the idle
// connections of two hosts, lent in turn, would cost memory each time.
func cut[T any](list []T, i int) []T {
	if i == 0 && len(list) > many {
		clear(list[:1])
		return list[1:]
	}
	return slices.Delete(list, i, i+1)
}
