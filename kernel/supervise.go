package kernel

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// Supervise has a session restarted when one of its handlers fails, where DIE
// would be raised otherwise. policy is one of Proto.Actor's strategies, such as
// actor.NewOneForOneStrategy(10, 10*time.Second, actor.DefaultDecider); it
// decides, through a guardian, whether the session resumes, restarts or stops,
// and how often. A decision to escalate raises DIE after all. One policy value
// may serve many sessions.
//
// A restart keeps the session's ID, aliases, leases and queue: events that wait,
// and those that come meanwhile, are for the fresh receiver. The event that
// failed is gone. Timers, wheels, watches of signals, handles and processes, and
// handlers set by State go with the old receiver; child sessions are stopped.
// Then fresh makes the new receiver, which gets _start with the arguments of the
// first. Calls are refused with ErrStopped between the failure and the restart.
// Strategies that wait do so in real time; those that look at a failing actor's
// siblings (all-for-one) have none to look at, and escalate.
func Supervise(policy actor.SupervisorStrategy, fresh func() Receiver) SpawnOption {
	return func(o *spawnOptions) { o.supervised = &supervision{policy: policy, fresh: fresh} }
}

// supervision is what a supervised session has besides. Token.
type supervision struct {
	policy actor.SupervisorStrategy
	fresh  func() Receiver
	args   []any // of _start

	cause *Exception    // why it is down: failed, and neither restarted nor resumed yet
	kept  queue[posted] // serial modes: what came meanwhile
}

func (v *supervision) check() error {
	switch {
	case v.policy == nil:
		return fmt.Errorf("%w: Supervise without a policy; want one such as actor.DefaultSupervisorStrategy()", ErrArgument)
	case v.fresh == nil:
		return fmt.Errorf("%w: Supervise without a function that makes a fresh Receiver", ErrArgument)
	}
	return nil
}

// down reports whether the session waits for its supervisor's decision.
func (s *session) down() bool { return s.supervised != nil && s.supervised.cause != nil }

// escalate asks the supervisor about a failure; false when that is not for it.
func (ch *chain) escalate(s *session, x *Exception) (asked bool) {
	v := s.supervised
	if v == nil {
		return false
	}
	if v.cause != nil {
		return true // it failed again on its way out
	}
	v.cause = x
	s.hold(HoldRestart, "")
	ch.k.active.Add(1)
	defer func() {
		if recover() != nil { // the guardian cannot escalate any further: it is for us
			ch.up(s)
			asked = false
		}
	}()
	s.invoker.EscalateFailure(x, x.Event)
	return true
}

// up ends the wait.
func (ch *chain) up(s *session) {
	v := s.supervised
	v.cause = nil
	ch.k.active.Add(-1)
	s.letGo(HoldRestart, "")
	if l := ch.k.loop; l != nil {
		var p posted
		for !v.kept.empty() {
			v.kept.pop(&p)
			*l.order.next(p.ev.from, p.to) = p
		}
	}
}

// restart stops the children and puts a fresh receiver in place.
func (ch *chain) restart(s *session) {
	why := stop{reason: StopParent, cause: s.supervised.cause.Seq}
	ch.stopEach(ch.k.tree.childrenOf(s), why, func(ch *chain) {
		ch.visit(s, func(ch *chain, alive, _ bool) {
			if alive && s.down() {
				ch.renew(s)
			}
		})
	})
}

func (ch *chain) renew(s *session) {
	v, cause := s.supervised, s.supervised.cause
	ch.strip(s)
	recv, err := v.make()
	ch.up(s)
	if err != nil {
		ch.k.die(s, &Exception{Session: s.addr, Event: cause.Event, Source: cause.Source, Err: err, Seq: cause.Seq})
		return
	}
	s.recv = recv
	ch.k.obs.restarted(s, cause)
	ev := newEvent("_start", nil, v.args)
	ev.via, ev.cause = ViaKernel, cause.Seq
	s.starting = true
	_, err = ch.invoke(s, &ev, 0)
	s.starting = false
	if err != nil && err != ErrNoHandler {
		ch.raise(s, asException(s, &ev, err))
	}
}

// make calls fresh, which is the user's.
func (v *supervision) make() (r Receiver, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("Supervise: making a fresh receiver panicked: %v", p)
		}
	}()
	if r = v.fresh(); r == nil {
		err = fmt.Errorf("Supervise: the function for a fresh receiver returned nil")
	}
	return r, err
}

// strip takes from a session what belongs to its receiver.
func (ch *chain) strip(s *session) {
	ch.k.timers.removeAll(s, nil, s.last)
	ch.k.signals.forget(s)
	s.forgetProcesses()
	for src := s.sources; src != nil; src = s.sources {
		src.close()
	}
	s.states = nil
}
