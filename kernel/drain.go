package kernel

// batch is how many events a session handles before others get their turn.
const batch = 256

// turns gives one session after the other its turn, until the worker is to end. It
// reports true when a handler panicked and there may be more to do.
func (w *worker) turns() (again bool) {
	ch := w.ch
	var c *Context // of the session whose handler runs, if running
	running := false
	depth := ch.depth
	defer func() {
		if !running {
			return
		}
		ch.depth = depth + 1
		s, ev, v := c.s, c.ev, recover()
		if f := ev.from; f != nil && f != s {
			ch.acknowledge(f)
		}
		ch.pop(c)
		switch {
		case v != nil:
			ch.raise(s, panicked(s, &ev, v))
		case ev.name != "": // in kernel work, invoke has raised it already
			ch.raise(s, goexited(s, &ev))
		}
		again = v != nil // runtime.Goexit: the goroutine goes on unwinding
		w.over(s, 1)
	}()
	for {
		s := w.find()
		if s == nil {
			return false
		}
		if !ch.claim(s) {
			continue
		}
		c = ch.push(s)
		if ch.debug != nil {
			c = ch.fresh(c)
		}
		events := 0
		for events < batch {
			st := s.state.Load()
			if st&bFront != 0 {
				c.ev = event{}
				running = true
				ch.runFront(s)
				running = false
				st = s.state.Load()
			}
			if st&bCondemned != 0 || s.stopping || s.wantStop || s.down() {
				break
			}
			if s.out.empty() {
				if s.state.Load()&bInbox == 0 {
					break
				}
				s.fetch()
				continue
			}
			events++
			c.ev.copy(s.out.first())
			s.out.drop()
			s.left(&c.ev)
			running = true
			ch.handle(c)
			running = false
			if ch.debug != nil { // each handler has a Context of its own
				ch.pop(c)
				c = ch.fresh(ch.push(s))
			}
		}
		ch.pop(c)
		c = nil
		w.over(s, events)
	}
}

// over ends a session's turn.
func (w *worker) over(s *session, events int) {
	if s.id != 0 { // the kernel's own work does not put off ZOMBIE
		w.work += uint64(events)
	}
	w.spent += 1 + uint(events)/longTurn
	w.ch.flushAcks()
	w.ch.settle(s)
}

// fetch swaps the empty outbox for the inbox.
func (s *session) fetch() {
	s.mu.Lock()
	s.in, s.out = s.out, s.in
	s.state.And(^bInbox)
	s.mu.Unlock()
}

// handle dispatches the event in c.ev and acknowledges it.
func (ch *chain) handle(c *Context) {
	s, from := c.s, c.ev.from
	if ch.acks.from != from && ch.acks.n > 0 { // this handler may take long
		ch.flushAcks()
	}
	if from != nil && from != s && from.killed.Load() {
		ch.k.obs.drop(&c.ev, s, ReasonSenderStopped)
		ch.acknowledge(from)
		return
	}
	if c.ev.kind == evPost {
		ch.deliver(c)
	} else {
		ch.special(c)
	}
	if from != nil && from != s {
		ch.acknowledge(from)
	}
}

// deliver runs the handler of a queued event; its failure becomes DIE.
func (ch *chain) deliver(c *Context) {
	var err error
	if ch.k.obs.on {
		err = ch.k.obs.run(c)
	} else {
		err = c.s.recv.Receive(c)
	}
	if err != nil || c.unhandled || c.ret != nil || c.created != nil {
		ch.delivered(c, err)
	}
}

// delivered is what deliver seldom has to do after a handler.
func (ch *chain) delivered(c *Context, err error) {
	if err != nil && !raisedBy(c.s, err) {
		ch.raise(c.s, failure(c.s, &c.ev, err))
	}
	if c.unhandled {
		c.unhandled = false
		ch.k.obs.unhandled(&c.ev, c.s)
	}
	c.ret = nil
	if c.created != nil {
		c.releaseCreated()
	}
}

// special handles what is not a plain post.
func (ch *chain) special(c *Context) {
	switch c.ev.kind {
	case evTimer:
		if c.s == ch.k.root {
			ch.k.timers.call(&c.ev)
		} else if ch.k.timers.claim(c.s, &c.ev) {
			if ch.k.obs.on {
				ch.k.obs.number(ch, &c.ev)
			}
			ch.deliver(c)
		}
	case evWheel:
		src := c.ev.a[0].(*Source)
		c.ev = event{from: c.s, seq: src.cause}
		src.run(c)
	case evJob:
		j := c.ev.a[0].(job)
		c.ev = event{}
		j(ch, !c.s.dead, true)
	case evRaw:
		ch.rawMessage(c)
	case evSys:
		ch.systemMessage(c.s, c.ev.a[0])
	}
}

// runFront does the kernel's work that waits at the head of s's queue.
func (ch *chain) runFront(s *session) {
	for {
		front := s.takeFront()
		if len(front) == 0 {
			return
		}
		ch.runJobs(s, front)
	}
}

// takeFront takes what runFront has to do.
func (s *session) takeFront() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	front := s.front
	s.front = nil
	s.state.And(^bFront)
	return front
}

func (ch *chain) runJobs(s *session, front []event) {
	defer func() {
		if len(front) > 0 { // runtime.Goexit: the rest is for the next holder
			s.mu.Lock()
			s.front = append(front, s.front...)
			s.flag(bFront)
			s.mu.Unlock()
		}
	}()
	for len(front) > 0 {
		ev := front[0]
		front = front[1:]
		switch ev.kind {
		case evJob:
			ev.a[0].(job)(ch, !s.dead, true)
		case evSys:
			ch.systemMessage(s, ev.a[0])
		}
	}
}
