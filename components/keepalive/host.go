package keepalive

import "container/list"

// host is what the table knows under one key.
type host struct {
	key     Key
	busy    int        // opening or lent: what MaxPerHost counts
	idle    []*conn    // newest last
	waiting []*request // first come first

	breaker *breaker // nil: closed, and nothing to remember
	counts  Counters
	rest    *list.Element // among the resting ones; nil while it has a connection or a request
}

// rememberedKeys is how many hosts may rest.
const rememberedKeys = 1000

// host wakes a host that rests, or makes one. It is for a host that is about to
// have something; otherwise tidy must follow.
func (t *table) host(key Key) *host {
	h := t.hosts[key]
	switch {
	case h == nil:
		h = &host{key: key}
		t.hosts[key] = h
	case h.rest != nil:
		t.resting.Remove(h.rest)
		h.rest = nil
	}
	return h
}

// tidy lets h rest when nothing is left of it but what it remembers, and forgets
// the one that rested longest when they are too many.
func (t *table) tidy(h *host) {
	if h.busy > 0 || len(h.idle) > 0 || len(h.waiting) > 0 || h.rest != nil {
		return
	}
	if h.breaker != nil && h.breaker.blank() {
		h.breaker = nil
	}
	h.rest = t.resting.PushBack(h)
	if t.resting.Len() > rememberedKeys {
		old := t.resting.Remove(t.resting.Front()).(*host)
		delete(t.hosts, old.key)
		t.past.add(old.counts)
	}
}
