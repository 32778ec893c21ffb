package kernel

import (
	"log/slog"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// A session is its own Proto.Actor mailbox and actor. Events do not pass through
// here; what does is Proto.Actor's own traffic: its life cycle, watches, and
// what plain actors send.
var (
	_ actor.Mailbox = (*session)(nil)
	_ actor.Actor   = (*session)(nil)
)

// PostUserMessage queues what a plain actor sent, in line with the events. What
// does not find room is a dead letter, as is usual there; a PoisonPill always does.
func (s *session) PostUserMessage(message any) {
	msg, sender := actor.UnwrapEnvelopeMessage(message), actor.UnwrapEnvelopeSender(message)
	if _, ok := msg.(*actor.PoisonPill); ok {
		s.postJob(func(_ *chain, _, _ bool) { s.askStop(stop{reason: StopActor}) })
		return
	}
	ev := event{name: "_message", kind: evRaw, a: [2]any{msg, sender}, n: 2}
	if s.k.postOutside(s, &ev) != nil && s.actx != nil {
		s.k.system.DeadLetter.SendUserMessage(s.pid, message)
	}
}

// PostSystemMessage queues a system message ahead of the events. When the actor
// has ended, there may be nobody left to take turns for it: then a watch, which
// found it just before, is answered here.
func (s *session) PostSystemMessage(message any) {
	ev := event{kind: evSys, a: [2]any{message}}
	queued := false
	if l := s.k.loop; l != nil {
		s.mu.Lock()
		if queued = !s.gone; queued {
			l.leave(&posted{ev: ev, to: s})
		}
		s.mu.Unlock()
	} else {
		queued = s.pushFront(&ev)
	}
	if _, watch := message.(*actor.Watch); watch && !queued {
		s.invoker.InvokeSystemMessage(message)
	}
}

func (s *session) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	s.invoker = invoker
}

func (s *session) Start() {}

func (s *session) UserMessageCount() int { return int(s.queued.Load()) }

// Receive gets Proto.Actor's life cycle.
func (s *session) Receive(ac actor.Context) {
	switch m := ac.Message().(type) {
	case *actor.Started:
		s.actx = ac
	case *actor.Stopped:
		s.k.gone(s)
	case *actor.Stopping, *actor.Restarting, *actor.ReceiveTimeout:
	case *actor.Terminated:
		if !s.dead && !strings.HasPrefix(m.Who.Id, s.pid.Id+"/") { // a wheel's end is the wheel's to tell
			s.PostUserMessage(m)
		}
	}
}

// systemMessage handles one in the session's turn. Proto.Actor's Stop becomes a
// session's stop, which ends with Proto.Actor's.
func (ch *chain) systemMessage(s *session, m any) {
	switch m.(type) {
	case *actor.SuspendMailbox:
		return
	case *actor.ResumeMailbox:
		if s.down() {
			ch.up(s)
		}
		return
	case *actor.Restart:
		if s.restarts() {
			ch.restart(s)
		}
		return
	case *actor.Stop:
		if !s.dead {
			why := stop{reason: StopActor}
			if s.down() {
				why = stop{reason: StopSupervisor, cause: s.supervised.cause.Load().Seq}
			}
			ch.end(s, why, true, nil)
			return
		}
	}
	s.invoker.InvokeSystemMessage(m)
}

// rawMessage gives the session what a plain actor sent.
func (ch *chain) rawMessage(c *Context) {
	c.ev.kind, c.ev.via = evPost, ViaActor
	if pid, _ := c.ev.a[1].(*actor.PID); pid == nil {
		c.ev.a[1] = nil
	}
	ch.deliver(c)
}

// dispatcher runs wheel actors' mailboxes on the kernel's own workers.
type dispatcher struct{ k *Kernel }

func (d dispatcher) Schedule(f func()) { d.k.root.postJob(func(*chain, bool, bool) { f() }) }
func (d dispatcher) Throughput() int   { return 300 }

// sharedSystem is the one actor system of the process: each costs megabytes.
var sharedSystem = sync.OnceValue(func() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
})
