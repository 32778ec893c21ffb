package keepalive

import "slices"

// host is what the table knows under one key.
type host struct {
	key     Key
	busy    int        // opening or lent: what MaxPerHost counts
	idle    []*conn    // newest last
	waiting []*request // first come first
}

func (t *table) host(key Key) *host {
	h := t.hosts[key]
	if h == nil {
		h = &host{key: key}
		t.hosts[key] = h
	}
	return h
}

// tidy forgets h when nothing is left of it, so that keys do not pile up.
func (t *table) tidy(h *host) {
	if h.busy == 0 && len(h.idle) == 0 && len(h.waiting) == 0 {
		delete(t.hosts, h.key)
	}
}

// enqueue puts r behind all that came before it under its key (A58),
// and the host, when r is its only one, behind all that have a turn to come.
func (t *table) enqueue(r *request) {
	h := t.host(r.key)
	if len(h.waiting) == 0 {
		t.turns = append(t.turns, h)
	}
	h.waiting = append(h.waiting, r)
	r.queue = h
}

func (t *table) dequeue(r *request) {
	h := r.queue
	r.queue = nil
	t.stop(r.wait)
	h.waiting = without(h.waiting, r)
	if len(h.waiting) == 0 {
		t.turns = without(t.turns, h)
	}
	t.tidy(h)
}

// serveWaiting serves all that can be served (A71). Hosts take turns, one
// request each: a host that was served goes to the end, one at its limit is
// passed over but keeps its place (A61). The pass costs one step for each of
// those, and there are never more of them than connections.
func (t *table) serveWaiting() {
	for i := 0; i < len(t.turns); {
		h := t.turns[i]
		if t.cfg.MaxPerHost != NoLimit && h.busy >= t.cfg.MaxPerHost { // A62: before looking at idle ones
			i++
			continue
		}
		if len(h.idle) == 0 && !t.room() && !t.evict() {
			return // nothing is idle, so nobody behind can be served either (A63)
		}
		t.turns = slices.Delete(t.turns, i, i+1)
		t.serveFirst(h)
		if len(h.waiting) > 0 {
			t.turns = append(t.turns, h)
		}
	}
}

// serveFirst gives the first request of h an idle connection or a new one.
func (t *table) serveFirst(h *host) {
	r := h.waiting[0]
	h.waiting[0] = nil
	h.waiting = h.waiting[1:]
	r.queue = nil
	t.stop(r.wait)
	if c := t.newestIdle(h.key); c != nil {
		t.lend(c, r, Deferred)
	} else {
		t.open(h, r)
	}
}

// room reports whether one more connection may exist.
func (t *table) room() bool {
	return t.cfg.MaxOpen == NoLimit || len(t.conns) < t.cfg.MaxOpen
}

// without returns list without its one element v, in the same order.
func without[T comparable](list []T, v T) []T {
	i := slices.Index(list, v)
	return slices.Delete(list, i, i+1)
}
