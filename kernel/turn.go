package kernel

// burst handles up to limit due events and timers, and counts them; fewer means
// that none is due. A handler that panics ends a burst early.
func (l *loop) burst(limit int) (handled int) {
	var c *Context // of the handler that runs
	var from *session
	depth := l.ch.depth
	defer func() {
		if c == nil {
			return
		}
		l.ch.depth = depth + 1
		if v := recover(); v != nil {
			l.ch.raise(c.s, panicked(c.s, &c.ev, v))
		} else if c.ev.name != "" { // runtime.Goexit; in kernel work, invoke has raised it already
			l.ch.raise(c.s, goexited(c.s, &c.ev))
		}
		l.over(c, from)
		handled++
	}()
	for handled < limit && l.due() {
		if c, from = l.begin(); c != nil {
			if c.ev.kind == evPost {
				l.ch.deliver(c)
			} else {
				l.ch.special(c)
			}
			ended := c
			c = nil
			l.over(ended, from)
		}
		handled++
	}
	return handled
}

// over follows every handler: its session, and who sent the event, may have lost
// what held them.
func (l *loop) over(c *Context, from *session) {
	s := c.s
	l.ch.pop(c)
	l.settle(l.ch, s)
	l.acknowledge(from)
}

// due reports whether there is an event or timer to handle. Between two turns it
// sweeps and reads the clock (K11).
func (l *loop) due() bool {
	for {
		if l.inN.Load() != 0 {
			l.merge()
		}
		if l.turn <= 0 {
			l.sweep()
			l.turn = l.order.len()
			if l.k.timers.pending() > 0 {
				l.now = l.k.since(l.k.clock.now())
			}
		}
		if l.order.len() > 0 || l.timerDue() {
			return true
		}
		l.turn = 0
		if l.inN.Load() == 0 && len(l.marked) == 0 {
			return false
		}
	}
}

// timerDue reports whether the first timer is due and older than the oldest post:
// timers and posts share one order (K53, K107).
func (l *loop) timerDue() bool {
	due, seq, ok := l.k.timers.first()
	if !ok || due > l.now {
		return false
	}
	if l.order.len() > 0 {
		p := l.order.first()
		return due < p.due || due == p.due && seq < p.seq
	}
	return true
}

// begin takes the next event out of its queue and makes its session the current
// one. It returns nil when that was all there is to do about the event. from is
// who sent it, if that was another session.
func (l *loop) begin() (c *Context, from *session) {
	if l.timerDue() {
		if s, ev := l.k.timers.popDue(l.now); s != nil {
			return l.admit(&posted{ev: ev, to: s, due: l.now}), nil
		}
	}
	l.turn--
	p := l.order.first()
	s := p.to
	s.pending--
	s.left(&p.ev)
	if from = p.ev.from; from == s {
		from = nil
	}
	if s.dead || s.supervised != nil || from != nil && from.killed.Load() {
		odd := *p
		l.order.drop()
		return l.beginOdd(&odd, from)
	}
	c = l.admit(p)
	l.order.drop()
	return c, from
}

// admit makes an event's session the current one, unless it is down: then the
// event is kept aside, and still counts as queued.
func (l *loop) admit(p *posted) *Context {
	s := p.to
	if s.down() && p.ev.kind != evSys && p.ev.kind != evJob {
		s.pending++
		if s.limit != 0 && p.ev.counts() {
			s.queued.Add(1)
		}
		s.supervised.kept.add(p)
		return nil
	}
	if s != l.k.root {
		l.work++
	}
	c := l.ch.push(s)
	c.ev.copy(&p.ev)
	return c
}

// beginOdd is begin for an event whose sender or receiver is not as usual.
func (l *loop) beginOdd(p *posted, from *session) (*Context, *session) {
	s := p.to
	switch {
	case s.dead && p.ev.kind == evSys:
		l.ch.systemMessage(s, p.ev.a[0])
	case s.dead:
		l.drop(&p.ev, s, ReasonStopped)
	case from != nil && from.killed.Load():
		l.drop(&p.ev, s, ReasonSenderStopped)
	default:
		if c := l.admit(p); c != nil {
			return c, from
		}
		return nil, nil // it is still queued, aside
	}
	l.acknowledge(from)
	return nil, nil
}

// acknowledge notes that an event from another session was dealt with.
func (l *loop) acknowledge(from *session) {
	if from != nil {
		from.sent--
		l.mark(from)
	}
}

func (l *loop) drop(ev *event, s *session, why Reason) {
	if ev.kind == evPost || ev.kind == evRaw {
		l.k.obs.drop(ev, s, why)
	} else if j, ok := ev.a[0].(job); ok {
		j(l.ch, false, true)
	}
}
