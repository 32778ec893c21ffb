package kernel

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// loop is the scheduler of the serial modes: one queue of events for the whole
// kernel and one token for all sessions. Whoever has the token (Run, Step, or a
// goroutine that entered by Spawn or Call) is the loop; everybody else leaves
// what he has in the inbox.
type loop struct {
	k     *Kernel
	ch    *chain
	order order
	token tokenMutex

	inMu  sync.Mutex
	inbox []posted
	inN   atomic.Int32
	wake  chan struct{}

	// Guarded by the token.
	now    int64 // the clock, read once per turn, in ns since the kernel's start
	seq    uint64
	turn   int  // events that were queued when this turn began and are left
	timer  bool // a timer is next, not an event of the queue
	work   uint64
	asleep int64 // until when Run sleeps, when it does
	marked []*session
}

// posted is an event on the loop's queue.
type posted struct {
	ev  event
	to  *session
	due int64
	seq uint64
}

var postedSegments sync.Pool // shared by the serial kernels of a process

func newLoop(k *Kernel) *loop {
	l := &loop{k: k, ch: k.newChain(nil), token: newTokenMutex(), wake: make(chan struct{}, 1)}
	l.order.q.spare = &postedSegments
	return l
}

// open adds an event from a handler to the queue, for the caller to fill in.
func (l *loop) open(from, to *session) (*posted, error) {
	if to.dead {
		return nil, ErrNoSession
	}
	if !to.admit() {
		return nil, ErrQueueFull
	}
	if l.inN.Load() != 0 {
		l.merge()
	}
	return l.place(from, to), nil
}

// place adds an event to the queue and counts it for its two sessions.
func (l *loop) place(from, to *session) *posted {
	to.pending++
	if from != nil && from != to && from.strange == nil {
		from.sent++
	}
	l.seq++
	var p *posted
	if o := &l.order; o.seeded == nil {
		o.n++
		p = o.q.next()
	} else {
		p = o.next(from, to)
	}
	p.to, p.due, p.seq = to, l.now, l.seq
	return p
}

// accept takes an event that was in the inbox.
func (l *loop) accept(p *posted) {
	if p.to.dead {
		if p.ev.kind == evSys { // Proto.Actor may still be waiting for its children
			l.ch.systemMessage(p.to, p.ev.a[0])
		}
		l.k.dropped(&p.ev, p.to, ReasonStopped)
		return
	}
	l.place(p.ev.from, p.to).ev = p.ev
}

// postOutside accepts an event from any goroutine.
func (l *loop) postOutside(t *session, ev *event) error {
	t.mu.Lock() // until it lies in the inbox: once t is dead, Run may not look there again
	defer t.mu.Unlock()
	if t.dead {
		return ErrNoSession
	}
	if ev.counts() && !t.admit() {
		return ErrQueueFull
	}
	l.leave(&posted{ev: *ev, to: t})
	return nil
}

func (l *loop) leave(p *posted) {
	if p.ev.kind != evNudge {
		p.to.inbox.Add(1)
	}
	l.inMu.Lock()
	l.inbox = append(l.inbox, *p)
	l.inN.Store(int32(len(l.inbox)))
	l.inMu.Unlock()
	l.wakeUp()
}

// wakeUp has a sleeping Run look again.
func (l *loop) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// merge moves the inbox to the queue, in the order of the inbox's lock.
func (l *loop) merge() {
	l.inMu.Lock()
	in := l.inbox
	l.inbox = nil
	l.inN.Store(0)
	l.inMu.Unlock()
	for i := range in {
		if in[i].ev.kind == evNudge {
			l.mark(in[i].to)
			continue
		}
		l.accept(&in[i])
		in[i].to.inbox.Add(-1)
	}
}

// nudge may come from any goroutine.
func (l *loop) nudge(s *session) { l.leave(&posted{ev: event{kind: evNudge}, to: s}) }

// settle looks at a session after one of its handlers returned.
func (l *loop) settle(ch *chain, s *session) {
	if s.wantStop && s.depth == 0 && !s.ending {
		ch.end(s, s.asked, false, nil)
		return
	}
	l.mark(s)
}

func (s *session) collectable() bool {
	return s.pending == 0 && s.inbox.Load() == 0 && s.sent == 0 && !s.stopping && s.depth == 0 && s.holds.Load() == 0
}

// mark remembers a session that nothing holds, for the sweep (K24).
func (l *loop) mark(s *session) {
	if !s.marked && s.collectable() {
		s.marked = true
		l.marked = append(l.marked, s)
	}
}

// sweep ends what was marked and still is not held, the last marked first (K27);
// then whom these ends robbed of their last hold, such as parents, and so on.
func (l *loop) sweep() {
	for {
		for n := len(l.marked); n > 0; n = len(l.marked) {
			s := l.marked[n-1]
			l.marked = l.marked[:n-1]
			s.marked = false
			if s.collectable() && s.decideStop(false) {
				l.ch.end(s, s.unheld(), false, nil)
			}
		}
		if l.inN.Load() != 0 {
			l.merge() // a hold that goes is a nudge
		}
		if len(l.marked) == 0 {
			return
		}
	}
}

// maxBurst is how many events are handled before the token may change hands.
const maxBurst = 64

// loopRun is Run in the serial modes.
func (l *loop) loopRun() {
	k := l.k
	l.token.lock()
	defer l.token.unlock()
	defer l.ch.rest()
	for {
		for l.burst(maxBurst) > 0 {
			l.token.yield()
		}
		switch k.idle.next(k, l.work) {
		case idleDone:
			return
		case idleIdle:
			k.signal(k.root, "IDLE", nil, 0)
		case idleZombie:
			k.signal(k.root, "ZOMBIE", nil, 0)
		case idleWait:
			if !l.look() {
				l.sleep()
			}
		}
	}
}

// sleep waits, without the token, for the next timer or for something from
// outside. A virtual clock jumps instead.
func (l *loop) sleep() {
	k := l.k
	l.ch.rest()
	var timeout <-chan time.Time
	l.asleep = math.MaxInt64
	if due, _, ok := k.timers.first(); ok {
		l.asleep = due
		if k.clock.jump(due) {
			return
		}
		t := time.NewTimer(time.Duration(due - k.clock.elapsed()))
		defer t.Stop()
		timeout = t.C
	}
	l.token.unlock()
	select {
	case <-l.wake:
	case <-timeout:
	}
	l.token.lock()
}

func (l *loop) look() bool {
	f := lookout.Load()
	return f != nil && l.k.cfg.Mode == Serial && (*f)((*Source).Wake)
}
