package kernel

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// sigWatch is what Context.Sig set for one signal.
type sigWatch struct {
	event string
	args  []any
}

// signals knows which sessions watch which signal, and asks the operating
// system for those that it has and somebody watches (K120).
type signals struct {
	sync.Mutex
	watchers map[string]map[*session]sigWatch
	walks    map[string][]*walk // by name, under way (the first) and waiting for it
	os       osSignals
}

func (g *signals) watch(s *session, name string, w sigWatch) {
	g.Lock()
	defer g.Unlock()
	m := g.watchers[name]
	if m == nil {
		if g.watchers == nil {
			g.watchers = make(map[string]map[*session]sigWatch)
		}
		m = make(map[*session]sigWatch)
		g.watchers[name] = m
		g.os.want(s.k, name)
	}
	m[s] = w
}

func (g *signals) unwatch(s *session, name string) {
	g.Lock()
	defer g.Unlock()
	m := g.watchers[name]
	delete(m, s)
	if m != nil && len(m) == 0 {
		delete(g.watchers, name)
		g.os.unwant(name)
	}
}

// forget drops a dead session's watches (K133).
func (g *signals) forget(s *session) {
	if !s.watches {
		return
	}
	g.Lock()
	names := slices.Collect(maps.Keys(g.watchers))
	g.Unlock()
	for _, name := range names {
		g.unwatch(s, name)
	}
}

func (g *signals) of(s *session, name string) (sigWatch, bool) {
	g.Lock()
	defer g.Unlock()
	w, ok := g.watchers[name][s]
	return w, ok
}

// fate says what an unhandled signal does (K128).
type fate uint8

const (
	benign      fate = iota // nothing
	terminal                // stops every session it reached, unless one handled it
	nonmaskable             // stops them in any case
)

func fateOf(name string) fate {
	switch name {
	case "HUP", "INT", "QUIT", "TERM", "KILL", "IDLE", "DIE":
		return terminal
	case "ZOMBIE", "UIDESTROY", sigStop:
		return nonmaskable
	}
	return benign
}

// sigStop is what Kernel.Stop sends: nonmaskable, and nobody can watch it.
const sigStop = "\x00stop"

// walk is one signal on its way through the tree. Its state belongs to it, so
// that several may be under way (K131).
type walk struct {
	k       *Kernel
	name    string
	args    []any
	targets []*session // in the order they are told
	global  bool       // sent to the kernel
	handled bool
	by      *session      // who handled it, as the first
	target  *session      // held until the verdict, as by an event …
	from    *session      // … and so is who sent it (K21), if a session did
	sender  uint64        // with an observer: the event whose handler sent it
	cause   *Exception    // DIE: the failure
	over    chan struct{} // closed at the verdict, if anybody wants to know
}

// signal queues a signal to a session and those below it; root is the kernel.
func (k *Kernel) signal(to *session, name string, args []any, sender uint64) {
	k.walk(&walk{k: k, name: name, args: args, global: to == k.root, target: to, sender: sender}, nil)
}

func (w *walk) hold() {
	w.target.hold(HoldSignal, w.public())
	if w.from != nil {
		w.from.hold(HoldSignal, w.public())
	}
}

func (w *walk) unhold() {
	w.target.unhold(HoldSignal, w.public())
	if w.from != nil {
		w.from.unhold(HoldSignal, w.public())
	}
}

// walk queues a signal's dispatch. cancelled, when not nil, is asked right before.
// In parallel mode a walk may have to wait for a busy session on its way. Others
// do not wait for it, except those of the same name: these keep their order.
func (k *Kernel) walk(w *walk, cancelled func() bool) {
	w.hold()
	k.obs.signal(SignalSent, w, 0)
	k.root.postJob(func(ch *chain, _, _ bool) {
		if cancelled != nil && cancelled() {
			w.unhold()
			return
		}
		if w.name != "IDLE" && w.name != "ZOMBIE" {
			ch.worked()
		}
		if k.signals.begin(w) {
			ch.goOn(true, w.run)
		}
	})
}

// public is the signal's name for observers.
func (w *walk) public() string {
	if w.name == sigStop {
		return string(StopKernel)
	}
	return w.name
}

// begin reports whether w can go now; otherwise it goes when those before it are
// through. DIE does not wait: one failure's handler must not hold up another's.
func (g *signals) begin(w *walk) bool {
	if w.cause != nil {
		return true
	}
	g.Lock()
	defer g.Unlock()
	if g.walks == nil {
		g.walks = make(map[string][]*walk)
	}
	g.walks[w.name] = append(g.walks[w.name], w)
	return len(g.walks[w.name]) == 1
}

// through ends begin, and starts the next.
func (g *signals) through(w *walk) {
	if w.cause != nil {
		return
	}
	g.Lock()
	defer g.Unlock()
	rest := g.walks[w.name][1:]
	if len(rest) == 0 {
		delete(g.walks, w.name)
		return
	}
	g.walks[w.name] = rest
	w.k.root.postJob(func(ch *chain, _, _ bool) { ch.goOn(true, rest[0].run) })
}

// die queues DIE for a failed handler: it goes to the failing session's
// descendants, to itself, then up (K134, K136).
func (k *Kernel) die(s *session, x *Exception) {
	k.obs.failed(x)
	k.walk(&walk{k: k, name: "DIE", args: []any{x}, target: s, cause: x, sender: x.Seq}, nil)
}

// goOn continues a walk. In parallel mode it must not do so in the turn of a
// session that was busy (later), nor in the kernel's: the next handler may block,
// and would hold that up, too. So it gets a turn that is nobody's.
func (ch *chain) goOn(later bool, next func(*chain)) {
	if !later || ch.k.par == nil {
		next(ch)
		return
	}
	nobody := &session{k: ch.k, recv: ignore{}, debug: ch.k.debug.session(ch.k)}
	nobody.holds.Store(1) // it has no end
	nobody.postJob(func(ch *chain, _, _ bool) { next(ch) })
}

// run tells every watching target, then passes the verdict.
func (w *walk) run(ch *chain) {
	w.targets = w.k.tree.below(w.target)
	if w.cause != nil {
		w.targets = append(w.targets, w.k.tree.above(w.target)...)
	}
	w.k.obs.signal(SignalReaches, w, 0)
	n := len(w.targets)
	ch.series(0, n+1, func(ch *chain, i int, next func(*chain)) {
		if i == n {
			ch.verdict(w)
			next(ch)
			return
		}
		s := w.targets[i]
		if _, ok := w.k.signals.of(s, w.name); !ok || s == w.k.root {
			next(ch)
			return
		}
		ch.visit(s, func(ch *chain, alive, later bool) {
			defer ch.goOn(later, next)
			if alive && !s.ended {
				ch.tellSignal(s, w)
			}
		})
	})
}

func (ch *chain) tellSignal(s *session, w *walk) {
	watch, ok := w.k.signals.of(s, w.name)
	if !ok {
		return
	}
	outer, quiet := ch.walk, ch.quiet
	defer func() { ch.walk, ch.quiet = outer, quiet }()
	ch.walk = w
	if w.cause != nil {
		ch.quiet = ch.depth + 1
	}
	ev := newEvent(watch.event, nil, slices.Concat([]any{w.name}, w.args, watch.args))
	ev.via, ev.cause = ViaSignal, w.sender
	_, err := ch.invoke(s, &ev, 0)
	switch {
	case err == nil || raisedBy(s, err):
	case err == ErrNoHandler:
		ch.k.obs.unhandled(&ev, s)
	case w.cause != nil: // K138: the handler of DIE failed
		w.k.fail(w.cause, fmt.Errorf("%w; then its DIE handler: %w", w.cause, err))
	default:
		ch.raise(s, asException(s, &ev, err))
	}
}

// verdict stops every session the signal reached, if it is to (K126, K129).
func (ch *chain) verdict(w *walk) {
	k := w.k
	k.signals.through(w)
	if w.over != nil {
		close(w.over)
	}
	f := fateOf(w.name)
	if f == benign || f == terminal && w.handled {
		k.obs.signal(SignalVerdict, w, 0)
		w.unhold()
		return
	}
	if w.cause != nil {
		k.fail(w.cause, w.cause) // sets the error and asks for the kernel's stop
	}
	if w.global {
		k.stopDecided()
	}
	w.targets = slices.DeleteFunc(w.targets, func(s *session) bool { return s == k.root })
	k.obs.signal(SignalVerdict, w, len(w.targets))
	for _, s := range w.targets {
		s.condemn()
	}
	why := stop{reason: StopSignal, signal: w.name, cause: w.sender}
	if w.name == sigStop {
		why = stop{reason: StopKernel, cause: w.sender}
	}
	ch.stopEach(w.targets, why, func(ch *chain) {
		w.unhold()
		if w.global && len(k.tree.childrenOf(k.root)) > 0 { // created while the others stopped
			k.Stop()
		}
	})
}

// fail notes why the kernel ends, and ends it: x was not handled, err says so.
func (k *Kernel) fail(x *Exception, err error) {
	k.obs.fatal(x)
	k.errMu.Lock()
	switch {
	case k.err == nil || errors.Is(err, k.err): // the same, or more about it (K138)
		k.err = err
	default:
		k.err = errors.Join(k.err, err)
	}
	k.errMu.Unlock()
	k.signal(k.root, sigStop, nil, x.Seq)
}

// raisedBy reports whether err is, or comes from, a panic of s for which DIE is on
// its way already.
func raisedBy(s *session, err error) bool {
	var x *Exception
	return errors.As(err, &x) && x.raised && x.Session == s.addr
}

// asException wraps a handler's error, unless it is one already.
func asException(s *session, ev *event, err error) *Exception {
	if x, ok := err.(*Exception); ok {
		return x
	}
	return failure(s, ev, err)
}
