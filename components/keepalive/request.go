package keepalive

import "fmt"

// request is one that still needs its answer. It stands in its host's queue, or
// has a connection being opened for it.
type request struct {
	id      RequestID
	host    *host
	timer   timerID // 0 without
	wait    timerID // that of Config.WaitTimeout, in the queue
	waiting bool    // in the queue of its host
	fresh   bool    // wants a connection opened for it
	dial    *conn
}

// allocate checks its arguments before the pool's state (A24).
func (t *table) allocate(m allocate) error {
	if m.req == 0 || t.requests[m.req] != nil || t.undelivered[m.req] != nil {
		return fmt.Errorf("%w: request ID %d is zero or in use; draw a new one", errBug, m.req)
	}
	key, err := m.key.complete()
	if err != nil {
		return err
	}
	timeout, err := limit("Timeout", m.timeout, t.cfg.Timeout) // A25
	if err != nil {
		return err
	}
	if t.shut {
		return fmt.Errorf("keepalive: allocate %v: %w", key, ErrShutDown)
	}

	if h := t.hosts[key]; h != nil && !m.fresh && !t.full(h) { // at its limit it may have idle ones, for who wants a new one
		if c := t.lendable(h); c != nil { // A31: no timer
			t.lend(c, &request{id: m.req, host: c.host}, Immediate)
			return nil
		}
	}
	r := &request{id: m.req, host: t.host(key), fresh: m.fresh}
	if err := t.refusal(r.host); err != nil {
		t.refuse(r, "breaker", err)
		t.tidy(r.host)
		return nil
	}
	if t.crowded(r.host) {
		t.refuse(r, "queue", ErrTooManyWaiting)
		t.tidy(r.host)
		return nil
	}
	t.requests[r.id] = r
	if b := r.host.breaker; b != nil && b.state == CircuitHalfOpen {
		b.probe = r
	}
	if timeout != NoLimit {
		r.timer = t.start(timeout, timed{request: r}) // A33: before anything else
	}
	if t.cfg.WaitTimeout > 0 {
		r.wait = t.start(t.cfg.WaitTimeout, timed{waiting: r})
	}
	t.enqueue(r)
	return nil
}

// cancel ends a request where it stands, or takes its answer back while the
// requester does not have it yet (A100–A103).
func (t *table) cancel(m cancel) error {
	if r := t.requests[m.req]; r != nil {
		t.leave(r)
		t.finish(r)
		r.host.counts.Cancelled++
		return nil
	}
	if c := t.undelivered[m.req]; c != nil {
		t.settle(c)
		t.do(withdraw{m.req, c.id})
		return nil
	}
	return fmt.Errorf("keepalive: request %d: %w", m.req, ErrNoRequest)
}

// leave takes r out of the place where it stands.
func (t *table) leave(r *request) {
	switch {
	case r.waiting:
		t.dequeue(r)
	case r.dial != nil:
		r.dial.owner = nil // keeps its slot until the attempt has ended
		t.do(abortDial{r.dial.id})
	}
}

// finish forgets r, on each of its ways out (A30), and stops its timer (A77). If
// it was a probe, the next request is.
func (t *table) finish(r *request) {
	t.stop(r.timer)
	delete(t.requests, r.id)
	if b := r.host.breaker; b != nil && b.probe == r {
		b.probe = nil
	}
}

// refuse answers r, which has left its place, with an error.
func (t *table) refuse(r *request, function string, err error) {
	t.finish(r)
	r.host.counts.Refused.count(function, err)
	t.do(answer{req: r.id, err: &Error{Function: function, Key: r.host.key, Err: err}})
}
