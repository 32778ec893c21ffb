package kernel

// Post sends an event to a session. It never runs a handler and never blocks
// (G3). nil means accepted: the event will be handled once, or reported to the
// Observer with the reason why not (G9). Up to two pointer-shaped arguments
// cost no allocation.
//
// Errors come in a *PostError: ErrNoSession when the address names nobody, and
// ErrQueueFull when the receiver's QueueLimit is reached. A queued event holds
// its receiver and its sender (G5). What a session posts in its _stop is
// accepted and reported as dropped (K32).
func (c *Context) Post(to Address, event string, args ...any) error {
	c.check()
	t := c.resolve(to)
	if t == nil {
		return c.nobody(to, event, args)
	}
	err := c.send(t, event, args)
	switch {
	case err == nil:
		return nil
	case err == ErrNoSession:
		return c.nobody(to, event, args)
	}
	return c.refuse("Post", postError(to, event, args, err))
}

// nobody answers a post to a session that is not there. In parallel mode a
// handler may still run when a signal's verdict has ended its session and others;
// whether it was faster than the verdict must not matter to it, so its events are
// accepted, and reported as dropped.
func (c *Context) nobody(to Address, name string, args []any) error {
	if to.elsewhere() {
		return c.postElsewhere(to, name, args)
	}
	if !c.s.condemned() || name == "" {
		return c.refuse("Post", postError(to, name, args, ErrNoSession))
	}
	c.lose(to, name, args, ReasonStopped)
	return nil
}

// lose accepts an event only to report it as dropped.
func (c *Context) lose(to Address, name string, args []any, why Reason) {
	ev, gone := newEvent(name, c.s, args), c.k.stranger(to)
	if c.k.obs.on {
		ev.cause = c.ev.seq
		c.k.obs.stamp(c.ch, &ev, gone)
	}
	c.k.obs.drop(&ev, gone, why)
}

// Yield is Post to the current session (K50).
func (c *Context) Yield(event string, args ...any) error {
	c.check()
	if err := c.send(c.s, event, args); err != nil {
		return c.refuse("Yield", postError(c.s.addr, event, args, err))
	}
	return nil
}

// Post sends an event from any goroutine; Context.Post says what it promises.
// Its sender is the empty address. The goroutine that posts holds no session:
// take a Lease (SpawnHeld, Context.Lease) where the receiver has to be there.
func (k *Kernel) Post(to Address, event string, args ...any) error {
	t := k.dir.find(to)
	if t == nil {
		if to.elsewhere() {
			return k.postElsewhere(to, event, args)
		}
		return k.obs.refuse(nil, "Post", postError(to, event, args, ErrNoSession))
	}
	ev := newEvent(event, nil, args)
	if err := k.postOutside(t, &ev); err != nil {
		return k.obs.refuse(nil, "Post", postError(to, event, args, err))
	}
	return nil
}

// send accepts an event from a handler. It builds the event where it will lie.
func (c *Context) send(t *session, name string, args []any) error {
	k, s := c.k, c.s
	switch {
	case name == "":
		return errNoName
	case k.obs.Posted != nil || s.inStop:
		ev := newEvent(name, s, args)
		ev.cause = c.ev.seq
		return c.sendObserved(t, &ev)
	case k.loop != nil:
		p, err := k.loop.open(s, t)
		if err != nil {
			return err
		}
		p.ev.fill(name, s, args)
		if k.obs.on {
			c.number(&p.ev)
		}
		return nil
	case t == s && s.state.Load()&bInbox == 0:
		// To itself, and nobody else posted since the last look: the token is
		// enough. Anything in the inbox came first and must stay first (G2).
		if !s.admit() {
			return ErrQueueFull
		}
		ev := s.out.next()
		ev.fill(name, s, args)
		if k.obs.on {
			c.number(ev)
		}
		return nil
	}
	if t.openIdle() {
		ev := t.out.next()
		ev.fill(name, s, args)
		if k.obs.on {
			c.number(ev)
		}
		t.closeIdle(c.ch)
		s.sent++ // t is not s, which is not idle
		return nil
	}
	ev, first, err := t.open(true)
	if err != nil {
		return err
	}
	ev.fill(name, s, args)
	if k.obs.on {
		c.number(ev)
	}
	t.close(c.ch, first)
	if t != s {
		s.sent++
	}
	return nil
}

// number is for observers: this handler is the event's cause.
func (c *Context) number(ev *event) {
	ev.cause = c.ev.seq
	c.k.obs.number(c.ch, ev)
}

// sendObserved is send when somebody wants to see every post, or in _stop.
func (c *Context) sendObserved(t *session, ev *event) error {
	k, s := c.k, c.s
	if k.obs.on {
		k.obs.stamp(c.ch, ev, t)
	}
	if s.inStop {
		k.obs.drop(ev, t, ReasonSenderStopped)
		return nil
	}
	if k.loop != nil {
		p, err := k.loop.open(s, t)
		if err == nil {
			p.ev = *ev
		}
		return k.refused(t, ev, err)
	}
	err := k.par.post(c.ch, t, ev)
	if err == nil && t != s {
		s.sent++
	}
	return k.refused(t, ev, err)
}

// refused lets the observer hear of an event that was not accepted.
func (k *Kernel) refused(t *session, ev *event, err error) error {
	if err != nil && k.obs.on {
		k.obs.refused(ev, t, err)
	}
	return err
}

// admit counts an event against the session's limit.
func (s *session) admit() bool {
	if s.limit == 0 {
		return true
	}
	if s.queued.Add(1) > s.limit {
		s.queued.Add(-1)
		return false
	}
	return true
}

// left is admit's counterpart, when an event leaves the queue.
func (s *session) left(ev *event) {
	if s.limit != 0 && ev.counts() {
		s.queued.Add(-1)
	}
}

// post puts an event into t's inbox.
func (p *parallel) post(ch *chain, t *session, ev *event) error {
	slot, first, err := t.open(ev.counts())
	if err != nil {
		return err
	}
	*slot = *ev
	t.close(ch, first)
	return nil
}

// open adds an event to the inbox, for the caller to fill in before close. first
// says that the inbox was empty. Without an error the session's lock is held.
func (t *session) open(counts bool) (ev *event, first bool, err error) {
	if counts && !t.admit() {
		return nil, false, ErrQueueFull
	}
	t.mu.Lock()
	if t.dead {
		t.mu.Unlock()
		return nil, false, ErrNoSession
	}
	first = t.in.empty()
	return t.in.next(), first, nil
}

func (t *session) close(ch *chain, first bool) {
	switch {
	case !first:
		t.mu.Unlock()
	case ch == nil:
		t.k.par.wake(t, bInbox)
		t.mu.Unlock()
	default:
		enqueue := t.flag(bInbox)
		t.mu.Unlock()
		if enqueue {
			t.k.par.enqueue(ch, t)
		}
	}
}

// postOutside accepts an event from any goroutine.
func (k *Kernel) postOutside(t *session, ev *event) error {
	if ev.kind == evPost && ev.name == "" {
		return errNoName
	}
	if k.obs.on {
		k.obs.stamp(nil, ev, t)
	}
	if k.loop != nil {
		return k.refused(t, ev, k.loop.postOutside(t, ev))
	}
	return k.refused(t, ev, k.par.post(nil, t, ev))
}

// postJob queues kernel work for a session behind what is queued already; it is
// how signals stand in line (K52).
func (s *session) postJob(j job) {
	ev := event{kind: evJob, a: [2]any{j}}
	if l := s.k.loop; l != nil {
		l.leave(&posted{ev: ev, to: s})
		return
	}
	_ = s.k.par.post(nil, s, &ev)
}
