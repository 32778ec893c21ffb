package kernel

// burst handles up to limit due events and timers, and counts them; fewer means
// that none is due. A handler that panics ends a burst early.
func (l *loop) burst(limit int) (handled int) {
	var c *Context // of the handler that runs
	var from *session
	depth := l.ch.depth
	defer func() {
		if c == nil {
			if handled > 0 && l.ch.debug == nil && depth < len(l.ch.frames) {
				l.ch.frames[depth].ev = event{} // what over left there
			}
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
// what held them. It is chain.pop but for the event, which the next one overwrites.
func (l *loop) over(c *Context, from *session) {
	s := c.s
	l.ch.depth--
	s.depth--
	if c.created != nil {
		c.releaseCreated()
	}
	if l.ch.debug != nil {
		l.ch.debug.end(c)
	} else {
		c.wheel, c.ret, c.unhandled = 0, nil, false
	}
	l.settle(l.ch, s)
	l.acknowledge(from)
}

// due reports whether there is an event or timer to handle, and notes whether a
// timer is next. Between two turns it sweeps and reads the clock (K11).
func (l *loop) due() bool {
	for {
		if l.inN.Load() != 0 {
			l.merge()
		}
		if l.turn <= 0 {
			if len(l.marked) > 0 {
				l.sweep()
			}
			l.turn = l.order.n
			if l.k.timers.pending() > 0 {
				l.now = l.k.clock.elapsed()
			}
		}
		l.timer = l.k.timers.next.Load() <= l.now && l.timerDue()
		if l.timer || l.order.n > 0 {
			return true
		}
		l.turn = 0
		if l.inN.Load() == 0 && len(l.marked) == 0 {
			return false
		}
	}
}

// timerDue reports whether the first timer, which is due, is older than the oldest post:
// timers and posts share one order (K53, K107).
func (l *loop) timerDue() bool {
	due, seq, _ := l.k.timers.first()
	if l.order.n > 0 {
		p := l.order.first()
		return due < p.due || due == p.due && seq < p.seq
	}
	return true
}

// begin takes the next event out of its queue and makes its session the current
// one. It returns nil when that was all there is to do about the event. from is
// who sent it, if that was another session.
func (l *loop) begin() (c *Context, from *session) {
	if l.timer {
		if s, ev := l.k.timers.popDue(l.now); s != nil {
			l.order.reconsider()
			return l.admit(&posted{ev: ev, to: s, due: l.now}), nil
		}
	}
	l.turn--
	var p *posted
	o := &l.order
	if o.seeded == nil {
		p = o.q.first()
	} else {
		p = o.first()
	}
	s := p.to
	s.pending--
	s.left(&p.ev)
	if from = p.ev.from; from == s {
		from = nil
	}
	if s.dead || s.mute || s.supervised != nil || from != nil && from.killed.Load() {
		odd := *p
		o.drop()
		return l.beginOdd(&odd, from)
	}
	c = l.current(p)
	if l.ch.debug != nil {
		c = l.ch.fresh(c)
	}
	if o.seeded == nil {
		o.n--
		o.q.drop()
	} else {
		o.drop()
	}
	return c, from
}

// admit makes an event's session the current one, unless it is down: then the
// event is kept aside, and still counts as queued.
func (l *loop) admit(p *posted) *Context {
	s := p.to
	if s.mute && p.ev.kind == evTimer {
		return nil // it goes with the session
	}
	if s.down() && p.ev.kind != evSys && p.ev.kind != evJob {
		s.pending++
		if s.limit != 0 && p.ev.counts() {
			s.queued.Add(1)
		}
		s.supervised.kept.add(p)
		return nil
	}
	c := l.current(p)
	if l.ch.debug != nil {
		c = l.ch.fresh(c)
	}
	return c
}

// current makes an event's session the current one.
func (l *loop) current(p *posted) *Context {
	if p.to != l.k.root {
		l.work++
	}
	c := l.ch.push(p.to)
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
		l.mark(s) // the event may have been its last hold
	case s.mute && p.ev.kind != evSys && p.ev.kind != evJob:
		l.drop(&p.ev, s, ReasonStopped)
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
	switch {
	case from == nil:
	case from.strange != nil:
		from.strange.Add(1)
	default:
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
