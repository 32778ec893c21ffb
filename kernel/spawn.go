package kernel

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// SpawnOption changes how a session is made.
type SpawnOption func(*spawnOptions)

type spawnOptions struct {
	alias      string
	args       []any
	limit      int
	held       bool
	supervised *supervision
	lease      *Lease
}

// Alias gives the session an alias before its _start runs.
func Alias(name string) SpawnOption { return func(o *spawnOptions) { o.alias = name } }

// Args are the arguments of the session's _start (K80).
func Args(v ...any) SpawnOption { return func(o *spawnOptions) { o.args = v } }

// QueueLimit bounds the events queued for the session; a post over it returns
// ErrQueueFull (G12). 0 means no limit. Timers, the session's own wheels and what
// Monitor and Kernel.Tell tell are not counted.
func QueueLimit(n int) SpawnOption { return func(o *spawnOptions) { o.limit = n } }

// Spawn creates a session and runs its _start, on the calling goroutine, before
// it returns (K3). The error of _start is Spawn's error, and then the session is
// gone before anyone heard of it. Before Run, the session is kept until Run
// starts; while the kernel runs, use SpawnHeld unless the session's _start
// leaves something that holds it (G5). Inside a handler use Context.Spawn.
func (k *Kernel) Spawn(r Receiver, opts ...SpawnOption) (Address, error) {
	s, _, err := k.spawnOutside(r, opts, false)
	return addr(s), err
}

// SpawnHeld is Spawn with a lease on the new session, for whoever wants to post
// to it: it stays until the lease is released.
func (k *Kernel) SpawnHeld(r Receiver, opts ...SpawnOption) (*Lease, error) {
	_, l, err := k.spawnOutside(r, opts, true)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Spawn creates a child of the current session: its _start runs, then this
// session's _child gets "create", the child's address and the value _start
// returned, and then Spawn returns (K84). The child cannot be collected before
// this handler has returned (K25).
func (c *Context) Spawn(r Receiver, opts ...SpawnOption) (Address, error) {
	c.check()
	o, err := c.k.options(opts)
	if err != nil {
		return "", c.refuse("Spawn", err)
	}
	s, err := c.ch.spawn(c.s, c, r, o)
	return addr(s), c.refuse("Spawn", err)
}

func (k *Kernel) spawnOutside(r Receiver, opts []SpawnOption, held bool) (*session, *Lease, error) {
	o, err := k.options(opts)
	if err != nil {
		return nil, nil, k.obs.refuse(nil, "Spawn", err)
	}
	o.held = held
	visit, err := k.enter(context.Background())
	if err != nil {
		return nil, nil, k.obs.refuse(nil, "Spawn", err)
	}
	defer visit.leave()
	ch := visit.ch
	s, err := ch.spawn(k.root, nil, r, o)
	return s, o.lease, k.obs.refuse(nil, "Spawn", err)
}

func (k *Kernel) options(opts []SpawnOption) (*spawnOptions, error) {
	o := &spawnOptions{}
	for _, f := range opts {
		f(o)
	}
	if o.limit < 0 || o.limit > math.MaxInt32 {
		return nil, fmt.Errorf("%w: QueueLimit is %d; want 0 for none, or more", ErrArgument, o.limit)
	}
	if o.supervised != nil {
		if err := o.supervised.check(); err != nil {
			return nil, err
		}
		o.supervised.args = o.args
	}
	if o.alias != "" {
		return o, checkAlias(o.alias)
	}
	return o, nil
}

// spawn makes a session, with its token held until its _start and its parent's
// _child are done.
func (ch *chain) spawn(parent *session, creator *Context, r Receiver, o *spawnOptions) (*session, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: Spawn needs a Receiver, such as session.New(…)", ErrArgument)
	}
	k := ch.k
	s := k.newSession(r, o)
	if k.par != nil {
		s.state.Store(ch.mark())
	}
	s.hold(HoldCreator, "") // its creator, see settleNew
	k.live.Add(1)
	ch.worked()
	s.pid = k.system.Root.Spawn(k.props(s))
	s.invoker.InvokeSystemMessage(startedMessage)
	if o.alias != "" { // from here on others may find it: everything above is in place
		if err := k.aliasSet(s, o.alias); err != nil {
			s.letGo(HoldCreator, "")
			s.invoker.InvokeSystemMessage(stopMessage)
			return nil, err
		}
	}
	k.dir.add(s)
	k.tree.add(s, parent)
	k.obs.spawned(s)
	if o.held {
		o.lease = k.newLease(s, "SpawnHeld", 0)
	}

	value, err := ch.start(s, parent, creator, o.args)
	if err != nil {
		return nil, err
	}
	defer ch.settleNew(s, creator)
	if k.tree.parentOf(s) == parent && !s.wantStop { // it may have detached itself (K91)
		s.announced = true
		if parent != k.root {
			ch.announce(parent, seqOf(creator), "_child", "create", s.addr, value)
		}
	}
	return s, nil
}

var startedMessage = &actor.Started{}

func (k *Kernel) newSession(r Receiver, o *spawnOptions) *session {
	s := &session{k: k, recv: r, id: k.nextID.Add(1), limit: int32(o.limit), supervised: o.supervised, debug: k.debug.session(k)}
	s.addr = addressOf(s.id)
	if k.par != nil {
		s.in.spare, s.out.spare = &eventSegments, &eventSegments
	}
	return s
}

// props makes the session its own actor and mailbox. Proto.Actor posts Started
// to the mailbox, which spawn handles itself, in time.
func (k *Kernel) props(s *session) *actor.Props {
	p := actor.PropsFromProducer(
		func() actor.Actor { return s },
		actor.WithMailbox(func() actor.Mailbox { return spawning{s} }),
	)
	if v := s.supervised; v != nil {
		p.Configure(actor.WithGuardian(forgetful{v.policy}))
	}
	return p
}

// spawning is the mailbox during the spawn: Started is handled by spawn itself.
type spawning struct{ *session }

func (m spawning) PostSystemMessage(msg any) {
	if _, ok := msg.(*actor.Started); !ok {
		m.session.PostSystemMessage(msg)
	}
}

// start runs _start. If that fails, or ends the goroutine, the session is gone.
func (ch *chain) start(s, parent *session, creator *Context, args []any) (value any, err error) {
	ev := newEvent("_start", nil, args)
	ev.via, ev.cause = ViaKernel, seqOf(creator)
	if creator != nil {
		ev.from = parent
	}
	s.starting = true
	failed := true
	defer func() {
		s.starting = false
		if failed {
			ch.abort(s)
		}
	}()
	value, err = ch.invoke(s, &ev, 0)
	if err == ErrNoHandler {
		err = nil
	}
	failed = err != nil
	return value, err
}

// abort takes a session away whose _start failed: without _stop, and without a
// word to its parent. Children it made go to its parent.
func (ch *chain) abort(s *session) {
	s.decideStop(true)
	s.ending = true
	ch.k.obs.stoppingOf(s, stop{reason: StopStart, cause: s.last})
	if ch.k.par != nil {
		defer ch.drop(s, false, 0)
	}
	kids := ch.k.tree.childrenOf(s)
	ch.series(0, len(kids)+1, func(ch *chain, i int, next func(*chain)) {
		if i < len(kids) {
			ch.bequeath(kids[i], s, ch.k.tree.parentOf(s), s.last, next)
			return
		}
		ch.visit(s, func(ch *chain, _, _ bool) {
			s.letGo(HoldCreator, "")
			ch.finish(s)
			next(ch)
		})
	})
}

// settleNew passes the creator's hold to whoever has to keep the session until
// it had a chance to be used (G5): the handler that made it, or the time before Run.
func (ch *chain) settleNew(s *session, creator *Context) {
	k := ch.k
	switch {
	case creator != nil && creator.s.inStop: // its next parent is to hear of its end (K35)
		creator.s.onEnd = append(creator.s.onEnd, func(*chain) { s.unhold(HoldCreator, "") })
	case creator != nil:
		creator.created = append(creator.created, s)
		if k.loop != nil { // until the next turn, so that its creator may yield and then post to it (K25)
			k.loop.accept(&posted{ev: event{kind: evJob, a: [2]any{nothing}}, to: s})
		}
	case k.keepUntilRun(s):
	default:
		s.letGo(HoldCreator, "")
	}
	ch.settle(s)
}

// nothing is a job for its place in the queue.
var nothing job = func(*chain, bool, bool) {}

// keepUntilRun holds a session that was made before Run.
func (k *Kernel) keepUntilRun(s *session) bool {
	k.runMu.Lock()
	defer k.runMu.Unlock()
	if k.running.Load() {
		return false
	}
	k.fresh = append(k.fresh, s)
	return true
}

func (k *Kernel) releaseFresh() {
	k.runMu.Lock()
	fresh := k.fresh
	k.fresh = nil
	k.runMu.Unlock()
	for _, s := range fresh {
		s.unhold(HoldCreator, "")
	}
}

// gone is Proto.Actor's word that the session's actor has ended.
func (k *Kernel) gone(s *session) {
	s.mu.Lock()
	s.gone = true
	s.mu.Unlock()
	if k.live.Add(-1) == 0 {
		k.recheck()
	}
}

// describe names a session as people know it: "#7 (logger)" (D17).
func (s *session) describe() string {
	if s.id == 0 {
		return "kernel"
	}
	if names := s.k.aliasesOf(s); len(names) > 0 {
		return string(s.addr) + " (" + strings.Join(names, ", ") + ")"
	}
	return string(s.addr)
}
