package kernel

// A session's run token, parallel mode. Who holds it may run the session's
// handlers and touch its token fields. Everything about it is in one word:
//
//	bits 32…63  the holder's chain number while bHeld is set
//	bHeld       somebody has the token
//	bQueued     the session stands in a run queue
//	bInbox      the inbox (in) is not empty
//	bFront      the front list is not empty
//	bWaiters    a call waits for the token
//	bAcks       collectable but for events it sent: look again when one is acknowledged
//	bLook       a hold went while somebody had the token: look again
//	bFirst      somebody puts the first event into the outbox of the idle session
//	bCondemned  a signal's verdict ends it: no event of it is begun any more
//	bDead       the session has ended
//
// An entry in a run queue is only a hint: what matters is that bInbox or bFront
// implies bHeld or bQueued, so that somebody will look.
const (
	bHeld uint64 = 1 << iota
	bQueued
	bInbox
	bFront
	bWaiters
	bAcks
	bLook
	bFirst
	bCondemned
	bDead

	holderShift = 32
)

func holderOf(st uint64) uint32 {
	if st&bHeld == 0 {
		return 0
	}
	return uint32(st >> holderShift)
}

func (ch *chain) mark() uint64 { return bHeld | uint64(ch.id)<<holderShift }

// holds reports whether this chain has s's token.
func (ch *chain) holds(s *session) bool {
	return ch.k.loop != nil || holderOf(s.state.Load()) == ch.id
}

// flag sets bits and reports whether the caller must put s into a run queue.
func (s *session) flag(bits uint64) (enqueue bool) {
	for {
		old := s.state.Load()
		next := old | bits
		if enqueue = old&(bHeld|bQueued) == 0; enqueue {
			next |= bQueued
		}
		if s.state.CompareAndSwap(old, next) {
			return enqueue
		}
	}
}

// flagAwake is flag for a session that somebody will look at anyway; false when
// nobody would.
func (s *session) flagAwake(bits uint64) bool {
	for {
		old := s.state.Load()
		if old&(bHeld|bQueued) == 0 {
			return false
		}
		if s.state.CompareAndSwap(old, old|bits) {
			return true
		}
	}
}

// claim takes the token for the run queue's entry; false when someone has it,
// who will see on release what there is to do.
func (ch *chain) claim(s *session) bool {
	for {
		old := s.state.Load()
		next := old &^ bQueued
		if old&bHeld == 0 {
			next = next&^(bAcks|bLook) | ch.mark()
		}
		if s.state.CompareAndSwap(old, next) {
			return old&bHeld == 0
		}
	}
}

// take takes the token if it is free.
func (ch *chain) take(s *session) bool {
	for {
		old := s.state.Load()
		if old&(bHeld|bFirst) != 0 {
			return false
		}
		if s.state.CompareAndSwap(old, old&^(bAcks|bLook)|ch.mark()) {
			return true
		}
	}
}

// openIdle gives the poster of an idle session's first event its outbox, without
// the lock and the inbox, until closeIdle. It is neither held, for nothing of it
// may run, nor in a run queue yet, for bQueued is only announced.
func (s *session) openIdle() bool {
	old := s.state.Load()
	return old&^bAcks == 0 && s.limit == 0 && s.state.CompareAndSwap(old, old|bQueued|bFirst)
}

func (s *session) closeIdle(ch *chain) {
	s.state.And(^bFirst)
	s.k.par.enqueue(ch, s)
}

// drop gives the token back: to the first waiting call, to a run queue when
// there is work, to nobody otherwise. acks says that only unacknowledged sends
// keep the session, of which it had seen acked so far. To a stopping or condemned
// session only the kernel's own work is work: its events will be reported when it
// ends.
func (ch *chain) drop(s *session, acks bool, acked uint64) {
	for {
		old := s.state.Load()
		if old&bWaiters != 0 {
			if ch.k.calls.handOver(s) {
				return
			}
			continue
		}
		next := old & (bQueued | bInbox | bFront | bCondemned | bDead)
		mute := s.stopping || s.down() || old&bCondemned != 0
		work := old&(bFront|bLook) != 0 || !mute && (old&bInbox != 0 || !s.out.empty())
		if work {
			next |= bQueued
		} else if acks {
			next |= bAcks
		}
		if !s.state.CompareAndSwap(old, next) {
			continue
		}
		switch {
		case work && old&bQueued == 0:
			ch.k.par.enqueue(ch, s)
		case !work && acks && s.acked.Load() != acked:
			ch.k.nudge(s)
		}
		return
	}
}

// nudge has s looked at: its last hold went, or its last send was acknowledged.
// Whoever has the token may have looked just before: the flag makes it look again.
func (k *Kernel) nudge(s *session) {
	if k.loop != nil {
		k.loop.nudge(s)
		return
	}
	k.par.wake(s, bLook)
}
