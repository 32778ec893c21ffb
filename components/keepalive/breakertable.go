package keepalive

import "fmt"

// refusal is why h may not have a connection opened for one more request, or
// nil.
func (t *table) refusal(h *host) error {
	b := h.breaker
	if b == nil || b.state == CircuitClosed {
		return nil
	}
	if b.at(t.now()) == CircuitHalfOpen {
		b.state = CircuitHalfOpen
		if b.probe == nil {
			return nil
		}
	}
	return b.refusal()
}

// opened notes a success, the probe's or any. A probe's closes the circuit; that of
// one who began before it opened says nothing.
func (t *table) opened(c *conn) {
	h := c.host
	h.counts.Opened++
	if b := h.breaker; b != nil && b.probe != nil && b.probe == c.owner {
		h.breaker = nil
		return
	}
	t.outcome(h, anOpening, nil)
}

// openingFailed notes why r, while it has its owner, did not get its connection.
func (t *table) openingFailed(r *request, function string, cause error) {
	err := fmt.Errorf("%s: %w", function, cause)
	if b := r.host.breaker; b != nil && b.probe == r {
		b.wait = min(2*b.wait, t.cfg.Breaker.MaxCooldown)
		t.trip(r.host, err)
		return
	}
	t.outcome(r.host, anOpening, err)
}

// report notes what a user says of its connection.
func (t *table) report(m report) {
	if t.shut || !t.cfg.Breaker.on() {
		return
	}
	h := t.host(m.key)
	var err error
	if m.failed {
		err = errReported
	}
	t.outcome(h, aReport, err)
	t.tidy(h)
}

// outcome enters a success, or a failure, of a closed circuit.
func (t *table) outcome(h *host, e evidence, failure error) {
	if !t.cfg.Breaker.on() {
		return
	}
	if h.breaker == nil {
		h.breaker = &breaker{}
	}
	b := h.breaker
	if b.state == CircuitClosed && b.add(&t.cfg.Breaker, e, failure != nil) {
		b.wait = t.cfg.Breaker.Cooldown
		t.trip(h, failure)
	}
}

// trip opens the circuit of h for b.wait and answers all that wait for h.
func (t *table) trip(h *host, last error) {
	wait := h.breaker.wait
	h.breaker = &breaker{
		state: CircuitOpen,
		wait:  wait,
		until: t.now().Add(shortened(wait, t.chance())),
		last:  last,
	}
	h.counts.Tripped++
	if len(h.waiting) == 0 {
		return
	}
	all := h.waiting
	h.waiting = nil
	t.turns = without(t.turns, h)
	t.waiting -= len(all)
	for _, r := range all {
		r.waiting = false
		t.stop(r.wait)
		t.refuse(r, "breaker", h.breaker.refusal())
	}
	t.tidy(h)
}
