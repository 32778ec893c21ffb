package kernel

import (
	"fmt"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Supervise has a session restarted when one of its handlers fails, where DIE
// would be raised otherwise. policy is one of Proto.Actor's strategies, such as
// actor.NewOneForOneStrategy(10, 10*time.Second, actor.DefaultDecider); it
// decides, through a guardian, whether the session resumes, restarts or stops,
// and how often. A policy that escalates, or panics, leaves it to DIE after all.
// Make a policy once and use it for many sessions: Proto.Actor never forgets one.
//
// A restart keeps the session's ID, aliases, leases, parent and queue: events
// that wait, and those that come meanwhile, are for the fresh receiver, in their
// order. The event that failed is gone. Timers, wheels, watches of signals,
// handles and processes, and handlers set by State go with the old receiver,
// which gets no _stop; all sessions below it are stopped. Then fresh makes the
// new receiver, which gets _start with the arguments of the first; if that fails,
// the policy is asked again. A fresh that panics or returns nil raises DIE.
//
// A session that resumes goes on with its next event; only the one that failed is
// gone. One that stops gets _stop, and what is queued for it is reported as
// dropped; its children go to its parent.
//
// Between the failure and the decision no event is handled, and calls are refused
// with ErrStopped; only _child, _parent and signals still reach the old receiver.
// Observer.Failed hears of every failure. Strategies count, and wait
// (exponential back-off), in real time, in simulated mode, too; those that look
// at a failing actor's siblings (all-for-one) find none, and escalate.
func Supervise(policy actor.SupervisorStrategy, fresh func() Receiver) SpawnOption {
	return func(o *spawnOptions) { o.supervised = &supervision{policy: policy, fresh: fresh} }
}

// supervision is what a supervised session has besides. Token.
type supervision struct {
	policy actor.SupervisorStrategy
	fresh  func() Receiver
	args   []any // of _start

	cause atomic.Pointer[Exception] // why it is down: failed, and neither restarted nor resumed yet
	kept  fifo                      // serial modes: what came meanwhile
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
func (s *session) down() bool { return s.failure() != nil }

// failure is what its supervisor decides about, nil for nothing.
func (s *session) failure() *Exception {
	if s.supervised == nil {
		return nil
	}
	return s.supervised.cause.Load()
}

// restarts reports whether a decision to restart comes in time.
func (s *session) restarts() bool {
	return s.down() && !s.ending && !s.wantStop && !s.condemned()
}

// escalate asks the supervisor about a failure; false when that is not for it.
func (ch *chain) escalate(s *session, x *Exception) (asked bool) {
	if s.supervised == nil {
		return false
	}
	if !s.down() { // otherwise it failed again on its way out
		s.supervised.cause.Store(x)
		s.hold(HoldRestart, "")
		ch.k.active.Add(1)
		if !s.ask(x) {
			ch.up(s)
			return false
		}
	}
	ch.k.obs.escalated(s, x)
	return true
}

// ask leaves a failure to the policy; false when that escalates, which the
// guardian answers with a panic.
func (s *session) ask(x *Exception) (decides bool) {
	defer func() { decides = recover() == nil }()
	s.invoker.EscalateFailure(x, x.Event)
	return true
}

// up ends the wait.
func (ch *chain) up(s *session) {
	v := s.supervised
	v.cause.Store(nil)
	ch.k.active.Add(-1)
	s.letGo(HoldRestart, "")
	if l := ch.k.loop; l != nil {
		l.order.putBack(&v.kept)
	}
}

// restart stops all that is below the session, then puts a fresh receiver in place.
func (ch *chain) restart(s *session) {
	list := ch.k.tree.below(s)
	list = list[:len(list)-1]
	if len(list) == 0 {
		ch.renew(s)
		return
	}
	for _, t := range list {
		t.condemn()
	}
	ch.stopEach(list, stop{reason: StopParent, cause: s.supervised.cause.Load().Seq}, func(ch *chain) {
		ch.visit(s, func(ch *chain, alive, _ bool) {
			if alive && s.restarts() {
				ch.restart(s) // until nobody is left: some are born in a _stop
			}
		})
	})
}

func (ch *chain) renew(s *session) {
	v, cause := s.supervised, s.failure()
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

// forgetful is a policy whose statistics do not grow for ever: Proto.Actor notes
// the time of every failure, and looks through all of them at the next.
type forgetful struct{ actor.SupervisorStrategy }

const maxFailures = 10_000

func (f forgetful) HandleFailure(sys *actor.ActorSystem, by actor.Supervisor, who *actor.PID, rs *actor.RestartStatistics, reason, message any) {
	if rs.FailureCount() >= maxFailures {
		rs.Reset()
	}
	f.SupervisorStrategy.HandleFailure(sys, by, who, rs, reason, message)
}
