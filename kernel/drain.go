package kernel

// batch is how many events a session handles before others get their turn.
const batch = 256

// runQueued gives a session from a run queue its turn and counts its events.
func (ch *chain) runQueued(s *session) int {
	if !ch.claim(s) {
		return 0
	}
	budget := batch
	for ch.drain(s, &budget) {
	}
	ch.flushAcks()
	ch.settle(s)
	return batch - budget
}

// drain handles queued events until there are none or the budget is spent. It
// reports true when a handler panicked and there may be more to do.
func (ch *chain) drain(s *session, budget *int) (again bool) {
	c := ch.push(s)
	depth, running := ch.depth, false
	defer func() {
		if running {
			ch.depth = depth
			v := recover()
			x := &Exception{Session: s.addr, Event: c.ev.name, Source: addr(c.ev.from), Err: errGoexit}
			if v != nil {
				x = panicked(s, &c.ev, v)
			}
			if f := c.ev.from; f != nil && f != s {
				ch.acknowledge(f)
			}
			ch.pop(c)
			ch.raise(s, x)
			again = v != nil
			if v == nil { // runtime.Goexit: the goroutine goes on unwinding
				ch.settle(s)
			}
			return
		}
		ch.pop(c)
	}()
	for *budget > 0 {
		if s.state.Load()&bFront != 0 {
			running = true
			ch.runFront(s)
			running = false
		}
		if s.stopping || s.wantStop {
			return false
		}
		if s.out.empty() {
			if s.state.Load()&bInbox == 0 {
				return false
			}
			s.fetch()
			continue
		}
		*budget--
		s.out.pop(&c.ev)
		s.left(&c.ev)
		running = true
		ch.handle(c)
		running = false
	}
	return false
}

// fetch swaps the empty outbox for the inbox.
func (s *session) fetch() {
	s.mu.Lock()
	s.in, s.out = s.out, s.in
	for {
		old := s.state.Load()
		if s.state.CompareAndSwap(old, old&^bInbox) {
			break
		}
	}
	s.mu.Unlock()
}

// handle dispatches the event in c.ev and acknowledges it.
func (ch *chain) handle(c *Context) {
	s, from := c.s, c.ev.from
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
	if err != nil {
		ch.raise(c.s, &Exception{Session: c.s.addr, Event: c.ev.name, Source: addr(c.ev.from), Err: err})
	}
	if c.unhandled {
		c.unhandled = false
		ch.k.obs.unhandled(c)
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
		if ch.k.timers.claim(c.s, &c.ev) {
			ch.deliver(c)
		}
	case evWheel:
		src := c.ev.a[0].(*Source)
		c.ev = event{from: c.s}
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
		s.mu.Lock()
		front := s.front
		s.front = nil
		for {
			old := s.state.Load()
			if s.state.CompareAndSwap(old, old&^bFront) {
				break
			}
		}
		s.mu.Unlock()
		if len(front) == 0 {
			return
		}
		for i := range front {
			switch ev := &front[i]; ev.kind {
			case evJob:
				ev.a[0].(job)(ch, !s.dead, true)
			case evSys:
				ch.systemMessage(s, ev.a[0])
			}
		}
	}
}
