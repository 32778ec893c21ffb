package kernel

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Source is the kernel's side of a wheel: it gives a wheel turns in its owner's
// session, and ends with it. It is for those who write wheels.
//
// A wheel's own goroutines wait for the outside world and call Wake; the work
// (decoding, deciding, delivering) happens in the turn, which runs in the
// owner's session like an event, and never before the handler that made the
// wheel has returned. Methods other than Wake and ID belong in the owner's turn,
// and in a handler of the owner; with Config.Debug they panic with a *MisuseError
// elsewhere, unless the wheel has ended.
type Source struct {
	s     *session
	id    WheelID
	kind  string
	made  *site
	turn  func(*Context)
	end   func()
	cause uint64 // with an observer: the event whose handler made it
	woken atomic.Bool
	gone  bool        // token
	held  atomic.Bool // Watch(true); changes in the owner's turn only

	prev, next *Source // the session's list
}

var wheelIDs atomic.Uint64

// NewSource makes a source for a wheel of the current session. turn is called
// once after every Wake, or less often when wakes come fast. end is called when
// the source closes, by Close or by the session's end, once; it must release
// what the wheel has of the system, and not block.
func (c *Context) NewSource(kind string, turn func(*Context), end func()) *Source {
	c.check()
	s := c.s
	src := &Source{s: s, id: WheelID(wheelIDs.Add(1)), kind: kind, made: c.k.site(), turn: turn, end: end, cause: c.ev.seq}
	s.mu.Lock()
	defer s.mu.Unlock()
	src.next = s.sources
	if s.sources != nil {
		s.sources.prev = src
	}
	s.sources = src
	s.k.obs.wheel(src, true)
	return src
}

// Kernel returns the kernel that the wheel's session belongs to.
func (src *Source) Kernel() *Kernel { return src.s.k }

// ID returns the wheel's ID.
func (src *Source) ID() WheelID { return src.id }

// Wake asks for a turn, from any goroutine. A turn that is asked for holds the
// session, like an event.
func (src *Source) Wake() { src.wake(nil) }

// wake is Wake on a chain, if there is one. Flag and event change together, under the
// session's lock: who finds the flag set can rely on an event that is queued, and not
// on somebody who is about to queue it and holds nothing until then.
func (src *Source) wake(ch *chain) {
	s := src.s
	if ch != nil && src.rouse() {
		s.k.par.enqueue(ch, s)
		return
	}
	s.mu.Lock()
	if s.dead || src.woken.Load() {
		s.mu.Unlock()
		return
	}
	src.woken.Store(true)
	ev := event{kind: evWheel, a: [2]any{src}, from: s}
	if l := s.k.loop; l != nil {
		l.leave(&posted{ev: ev, to: s})
		s.mu.Unlock()
		return
	}
	first := s.in.empty()
	*s.in.next() = ev
	s.close(ch, first)
}

// rouse is wake for a session that is idle, in parallel mode; the caller puts it into
// a run queue. Idle no more, it holds itself: so here, too, the flag comes second. A
// wake between the two adds an event of its own, and so a turn that is not needed.
func (src *Source) rouse() bool {
	s := src.s
	if src.woken.Load() || !s.openIdle() {
		return false
	}
	src.woken.Store(true)
	*s.out.next() = event{kind: evWheel, a: [2]any{src}, from: s}
	s.state.And(^bFirst)
	return true
}

// Watch says whether the wheel waits for something that may wake it: then it
// holds its session, and the kernel is not idle (K21, K40).
func (src *Source) Watch(on bool) {
	src.check()
	src.watch(on)
}

func (src *Source) watch(on bool) {
	if on == src.held.Load() || src.gone {
		return
	}
	src.held.Store(on)
	if on {
		src.s.hold(HoldWheel, src.name())
		src.s.k.active.Add(1)
	} else {
		src.s.letGo(HoldWheel, src.name())
		src.s.k.active.Add(-1)
	}
}

// name is the wheel as observers of holds know it: "readwrite 7".
func (src *Source) name() string {
	if src.s.k.obs.Held == nil {
		return ""
	}
	return fmt.Sprintf("%s %d", src.kind, src.id)
}

// Closed reports whether the source was closed.
func (src *Source) Closed() bool { src.check(); return src.gone }

// Close ends the source: no further turn comes (W2).
func (src *Source) Close() { src.check(); src.close() }

func (src *Source) close() {
	if src.gone {
		return
	}
	src.watch(false)
	src.gone = true
	src.unlink()
	src.s.k.obs.wheel(src, false)
	if src.end != nil {
		src.end()
	}
}

func (src *Source) unlink() {
	src.s.mu.Lock()
	defer src.s.mu.Unlock()
	if src.prev != nil {
		src.prev.next = src.next
	} else {
		src.s.sources = src.next
	}
	if src.next != nil {
		src.next.prev = src.prev
	}
	src.prev, src.next = nil, nil
}

// lines are for Explain, oldest first.
func (s *session) wheelLines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for src := s.sources; src != nil; src = src.next {
		what := "holds nothing"
		if src.held.Load() {
			what = "watching"
		}
		list = append(list, fmt.Sprintf("wheel %d, %s, %s%s", src.id, src.kind, what, src.made.made()))
	}
	slices.Reverse(list)
	return list
}

// run is the source's turn.
func (src *Source) run(c *Context) {
	src.woken.Store(false)
	if src.gone || src.s.stopping {
		return
	}
	src.turn(c)
}

// Deliver runs the owner's handler for one of the wheel's events, inside the
// wheel's turn (W4). A handler that fails raises DIE, as with a posted event. It
// reports false when the wheel should deliver nothing more: it was closed, or
// its session is ending.
func (src *Source) Deliver(c *Context, name string, args ...any) bool {
	src.check()
	if name != "" && !src.gone {
		ev := newEvent(name, c.s, args)
		if c.k.obs.on {
			ev.via, ev.cause = ViaWheel, src.cause
		}
		switch _, err := c.ch.invoke(c.s, &ev, src.id); {
		case err == nil || raisedBy(c.s, err):
		case err == ErrNoHandler:
			c.k.obs.unhandled(&ev, c.s)
		default:
			c.ch.raise(c.s, failure(c.s, &ev, err))
		}
	}
	return !src.gone && !c.s.wantStop && !c.s.stopping && !c.s.down()
}

// Actor starts a Proto.Actor actor as a child of the session's, for wheels that
// own a listener or a process; it stops with the session.
func (src *Source) Actor(p actor.Producer) *actor.PID {
	return src.s.actx.Spawn(actor.PropsFromProducer(p, actor.WithDispatcher(dispatcher{src.s.k})))
}

// StopActor stops what Actor started.
func (src *Source) StopActor(pid *actor.PID) { src.s.actx.Stop(pid) }
