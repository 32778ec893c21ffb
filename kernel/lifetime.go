package kernel

import "github.com/asynkron/protoactor-go/actor"

// stop is why a session ends.
type stop struct {
	reason StopReason
	signal string // with StopSignal
	cause  uint64 // the event that led to it
}

// unheld: nothing can wake it any more.
func (s *session) unheld() stop { return stop{reason: StopUnheld, cause: s.last} }

// settle ends a turn: the token goes back, unless nothing holds the session any
// longer; then the session ends here (G5).
func (ch *chain) settle(s *session) {
	if ch.k.loop != nil {
		ch.k.loop.settle(ch, s)
		return
	}
	switch {
	case s.stopping:
		ch.drop(s, false, 0)
		return
	case s.wantStop:
		ch.end(s, s.asked, false, nil)
		ch.drop(s, false, 0)
		return
	case s.busy() || s.holds.Load() != 0:
		ch.drop(s, false, 0)
		return
	}
	if acked := s.acked.Load(); acked != s.sent {
		ch.drop(s, true, acked)
		return
	}
	if s.decideStop(false) {
		ch.end(s, s.unheld(), false, nil)
	}
	ch.drop(s, false, 0)
}

// busy reports whether something waits for the session's turn.
func (s *session) busy() bool {
	return s.state.Load()&(bInbox|bFront|bWaiters) != 0 || !s.out.empty()
}

// decideStop marks the session as stopping. Unless it must, it refuses when an
// event arrived in the meantime: whoever posts before the decision rescues (K24).
func (s *session) decideStop(must bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !must && (!s.in.empty() || len(s.front) > 0 || s.inbox.Load() > 0) {
		return false
	}
	s.stopping = true
	s.doomLocked()
	return true
}

// doom closes Context.Done: a stop is decided, though a handler may still run.
func (s *session) doom() {
	s.mu.Lock()
	s.doomLocked()
	s.mu.Unlock()
}

// condemn is doom by a signal's verdict. What is queued for the session waits for
// its end now, and what its running handler still posts is as if it had been
// posted before the verdict: accepted, whether or not the receiver is gone.
func (s *session) condemn() {
	s.state.Or(bCondemned)
	if s.k.loop != nil {
		s.mute = true
	}
	s.doom()
}

// askStop has the session end when its outermost handler has returned; the first
// to ask says why. Its events wait for that.
func (s *session) askStop(why stop) {
	if !s.wantStop {
		s.wantStop, s.mute, s.asked = true, true, why
	}
	s.doom()
}

func (s *session) condemned() bool { return s.state.Load()&bCondemned != 0 }

func (s *session) isDoomed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doomed
}

func (s *session) doomLocked() {
	if !s.doomed {
		s.doomed = true
		if s.done != nil {
			close(s.done)
		}
	}
}

// end takes a session through its stop (K29): its children go to its parent, it
// gets _stop, its parent gets _child("lose"), then its names and resources go.
// The chain holds its token. Steps that need a busy session's token happen when
// it is free; then is called at the end. A handler of it that is on the stack,
// because it uses Step (K14), returns first.
func (ch *chain) end(s *session, why stop, forced bool, then func(*chain)) {
	if s.dead {
		if then != nil {
			then(ch)
		}
		return
	}
	if then != nil {
		s.onEnd = append(s.onEnd, then)
	}
	if s.ending {
		return
	}
	if forced {
		s.killed.Store(true)
	}
	if ch.k.loop != nil && s.depth > 0 {
		s.askStop(why)
		return
	}
	s.ending = true
	if !s.stopping {
		s.decideStop(true)
	}
	ch.k.obs.stoppingOf(s, why)
	kids := ch.k.tree.childrenOf(s)
	n := len(kids)
	var stopValue any
	var stopped uint64 // the number of its _stop
	ch.series(0, n+3, func(ch *chain, i int, next func(*chain)) {
		switch {
		case i < n:
			ch.bequeath(kids[i], s, ch.k.tree.parentOf(s), why.cause, next)
		case i == n:
			ch.visit(s, func(ch *chain, _, _ bool) {
				defer next(ch)
				stopValue = ch.runStop(s, why.cause)
				stopped = s.last
			})
		case i == n+1:
			parent := ch.k.tree.mourner(s)
			if !s.announced {
				parent = ch.k.root
			}
			ch.tell(parent, stopped, next, "_child", "lose", s.addr, stopValue)
		default:
			ch.visit(s, func(ch *chain, _, _ bool) {
				ch.finish(s)
				next(ch)
			})
		}
	})
}

// tell delivers one of the kernel's own events to t, then calls next. The kernel
// itself does not care (K94), and nobody has to handle them.
func (ch *chain) tell(t *session, cause uint64, next func(*chain), name string, args ...any) {
	if t == ch.k.root {
		next(ch)
		return
	}
	ch.visit(t, func(ch *chain, alive, _ bool) {
		defer next(ch)
		if alive && !t.ended {
			ch.announce(t, cause, name, args...)
		}
	})
}

// announce runs t's handler for one of the kernel's events; failures are DIE.
func (ch *chain) announce(t *session, cause uint64, name string, args ...any) any {
	ev := newEvent(name, nil, args)
	ev.via, ev.cause = ViaKernel, cause
	ret, err := ch.invoke(t, &ev, 0)
	if err != nil && err != ErrNoHandler && !raisedBy(t, err) {
		ch.raise(t, asException(t, &ev, err))
	}
	return ret
}

func (ch *chain) runStop(s *session, cause uint64) any {
	s.inStop = true
	defer func() { s.inStop, s.ended = false, true }()
	return ch.announce(s, cause, "_stop")
}

// bequeath gives a child of a dying session to another, the session's parent,
// when that has time for it; to that one's own parent, if it is ending, too.
func (ch *chain) bequeath(kid, from, to *session, cause uint64, next func(*chain)) {
	give := func(ch *chain, alive, _ bool) {
		switch {
		case !alive || to.ending:
			ch.bequeath(kid, from, ch.k.tree.parentOf(to), cause, next)
		case !ch.k.tree.move(kid, from, to):
			ch.afterMourning(kid, from, next)
		default:
			ch.tell(to, cause, func(ch *chain) {
				from.unhold(HoldChild, string(kid.addr))
				ch.tell(kid, cause, next, "_parent", from.addr, to.addr)
			}, "_child", "gain", kid.addr, nil)
		}
	}
	if to == ch.k.root {
		give(ch, true, false)
		return
	}
	ch.visit(to, give)
}

// afterMourning calls next when a child that could not be given away is no longer
// from's: it ends, too, and from, which was to hear of that, hears of it first (K28).
func (ch *chain) afterMourning(kid, from *session, next func(*chain)) {
	ch.visit(kid, func(ch *chain, alive, _ bool) {
		if alive && ch.k.tree.parentOf(kid) == from {
			kid.onEnd = append(kid.onEnd, next)
			return
		}
		next(ch)
	})
}

// finish frees everything a stopped session had. From here its address names
// nobody; what was still queued for it is reported (G9).
func (ch *chain) finish(s *session) {
	k := ch.k
	parent := k.tree.remove(s)
	s.mu.Lock()
	s.dead = true
	s.state.Or(bDead)
	in, out := s.in, s.out
	s.in, s.out = queue[event]{}, queue[event]{}
	s.mu.Unlock()

	s.gen.Add(1)
	k.dropAll(&out, s)
	k.dropAll(&in, s)
	if s.down() {
		ch.up(s)
	}
	ch.strip(s)
	k.aliasesRemoveAll(s)
	k.dir.remove(s)
	k.forgetLeases(s)
	parent.unhold(HoldChild, string(s.addr))
	k.calls.abandon(s)
	k.tellMonitors(s)
	k.obs.stopped(s)
	ch.runFront(s)
	s.invoker.InvokeSystemMessage(stopMessage)
	ends := s.onEnd
	s.onEnd = nil
	for _, f := range ends {
		f(ch)
	}
}

var stopMessage = &actor.Stop{}

// dropAll reports what is left in a dead session's queue.
func (k *Kernel) dropAll(q *queue[event], s *session) {
	var ev event
	for !q.empty() {
		q.pop(&ev)
		k.dropped(&ev, s, ReasonStopped)
	}
}

// dropped reports an accepted event that will not be handled, and acknowledges it.
func (k *Kernel) dropped(ev *event, to *session, why Reason) {
	switch ev.kind {
	case evPost:
		k.obs.drop(ev, to, why)
		if f := ev.from; f != nil && f != to {
			f.ack(1)
		}
	case evRaw:
		k.obs.drop(ev, to, why)
	}
}

// stopEach ends the listed sessions in order, one after the other, by force.
func (ch *chain) stopEach(list []*session, why stop, then func(*chain)) {
	ch.series(0, len(list)+1, func(ch *chain, i int, next func(*chain)) {
		if i == len(list) {
			then(ch)
			next(ch)
			return
		}
		s := list[i]
		ch.visit(s, func(ch *chain, alive, _ bool) {
			if !alive {
				next(ch)
				return
			}
			ch.end(s, why, true, next)
		})
	})
}
