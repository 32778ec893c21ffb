package kernel

import (
	"errors"
	"sync/atomic"
)

// chain is one goroutine's stack of handlers: a worker's, the loop's, or that
// of a goroutine that entered the kernel by Spawn or Call. Calls nest on it.
type chain struct {
	k      *Kernel
	debug  *debugging
	id     uint32 // in the state word of the sessions it holds; never 0
	w      *worker
	frames []*Context
	depth  int
	walk   *walk    // the signal being dispatched on this chain
	waits  *session // guarded by calls.mu: whose token it waits for
	gid    uint64   // the goroutine's number, for stack traces: a worker's, with Config.Debug anybody's; guarded by calls.mu
	self   uintptr  // the same goroutine, for comparing
	below  *chain   // guarded by calls.mu: the worker's chain on whose goroutine it stands

	quiet int // depth at which a DIE handler runs: its own failure is not raised again

	acks ackRun

	seq     uint64  // with an observer: the next event's number
	journal Journal // nil: nobody wants one
	entry   Record  // what the journal is told
	watch   stopwatch
}

// ackRun gathers acknowledgements of consecutive events from one sender, so
// that its counter is touched once per run of them, not once per event.
type ackRun struct {
	from *session
	n    uint64
}

var chainIDs atomic.Uint32

func (k *Kernel) newChain(w *worker) *chain {
	id := chainIDs.Add(1)
	for id == 0 {
		id = chainIDs.Add(1)
	}
	ch := &chain{k: k, debug: k.debug, id: id, w: w}
	if k.obs.Journal != nil {
		ch.journal = k.obs.Journal(k.start)
		ch.watch = stopwatch{k: k, idle: true}
	}
	return ch
}

// push makes s the current session; pop undoes it.
func (ch *chain) push(s *session) *Context {
	if ch.depth == len(ch.frames) {
		ch.frames = append(ch.frames, &Context{k: ch.k, ch: ch})
	}
	c := ch.frames[ch.depth]
	ch.depth++
	c.s = s
	s.depth++
	return c
}

// fresh follows push in a debug kernel, where no two handlers have one Context.
func (ch *chain) fresh(c *Context) *Context {
	f := ch.debug.begin(ch, c.s)
	f.ev = c.ev
	ch.frames[ch.depth-1] = f
	return f
}

func (ch *chain) pop(c *Context) {
	ch.depth--
	c.s.depth--
	if c.created != nil {
		c.releaseCreated()
	}
	if ch.debug != nil {
		ch.debug.end(c)
		return
	}
	c.ev = event{}
	c.wheel, c.ret, c.unhandled = 0, nil, false
}

// releaseCreated drops the hold that a handler has on the sessions it spawned
// until it returns (G5).
func (c *Context) releaseCreated() {
	created := c.created
	c.created = nil
	for _, s := range created {
		s.unhold(HoldCreator, "")
	}
}

// invoke runs s's handler for *ev now, on this chain, which holds the token. A
// panic comes back as an *Exception, and raises DIE (K68).
func (ch *chain) invoke(s *session, ev *event, wheel WheelID) (ret any, err error) {
	if ch.k.obs.on {
		ch.k.obs.number(ch, ev)
	}
	c := ch.push(s)
	if ch.debug != nil {
		c = ch.fresh(c)
	}
	c.ev, c.wheel = *ev, wheel
	depth, returned := ch.depth, false
	defer func() {
		if !returned {
			ch.depth = depth
			v := recover()
			if v == nil { // runtime.Goexit unwinds past us
				ch.pop(c)
				ch.raise(s, goexited(s, ev))
				return
			}
			x := panicked(s, &c.ev, v)
			if ch.quiet != depth && !s.starting {
				x.raised = true
				ch.raise(s, x)
			}
			err = x
		}
		ch.pop(c)
	}()
	if ch.k.obs.on {
		err = ch.k.obs.run(c)
	} else {
		err = s.recv.Receive(c)
	}
	returned = true
	ret = c.ret
	if c.unhandled && err == nil {
		err = ErrNoHandler // whether that is worth a report, the caller knows
	}
	return ret, err
}

// worked notes work that is no queued event of a user's session, so that IDLE may
// come again. A goroutine from outside is counted when it leaves.
func (ch *chain) worked() {
	switch {
	case ch.k.loop != nil:
		ch.k.loop.work++
	case ch.w != nil:
		ch.w.work++
	}
}

// acknowledge notes that an event from s was dealt with.
func (ch *chain) acknowledge(from *session) {
	if from == ch.acks.from {
		ch.acks.n++
		return
	}
	ch.flushAcks()
	ch.acks = ackRun{from, 1}
}

func (ch *chain) flushAcks() {
	if a := ch.acks; a.n > 0 {
		ch.acks = ackRun{}
		a.from.ack(a.n)
	}
}

func (s *session) ack(n uint64) {
	if s.strange != nil {
		s.strange.Add(n)
		return
	}
	s.acked.Add(n)
	if s.state.Load()&bAcks != 0 {
		s.k.nudge(s)
	}
}

// raise queues DIE for a failed handler (K134).
func (ch *chain) raise(s *session, x *Exception) {
	if s.id == 0 {
		s = ch.k.root // kernel work in a turn that is nobody's
	}
	if s.inStop || s.stopping { // K139: nobody can handle it any more
		ch.k.fail(x, x)
		return
	}
	if s.condemned() && (errors.Is(x.Err, ErrNoSession) || errors.Is(x.Err, ErrStopped)) {
		ch.k.obs.failed(x) // it called somebody whom the same verdict had ended already
		return
	}
	if ch.escalate(s, x) {
		return
	}
	ch.k.die(s, x)
}
