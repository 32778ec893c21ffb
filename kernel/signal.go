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
	failing *session // DIE: whose handler failed; held until the walk is over
	cause   *Exception
}

// signal queues a signal to s and those below it; nil is the kernel.
func (k *Kernel) signal(to *session, name string, args []any) {
	w := &walk{k: k, name: name, args: args, global: to == k.root}
	k.root.postJob(func(ch *chain, _, _ bool) {
		w.targets = k.tree.below(to)
		ch.run(w)
	})
}

// die queues DIE for a failed handler: it goes to the failing session's
// descendants, to itself, then up (K134, K136). The session is held meanwhile.
func (k *Kernel) die(_ *chain, s *session, x *Exception) {
	w := &walk{k: k, name: "DIE", args: []any{x}, failing: s, cause: x}
	s.hold()
	k.obs.failed(x)
	k.root.postJob(func(ch *chain, _, _ bool) {
		w.targets = append(k.tree.below(s), k.tree.above(s)...)
		ch.run(w)
	})
}

// run tells every watching target, then passes the verdict.
func (ch *chain) run(w *walk) {
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
		ch.visit(s, func(ch *chain, alive, _ bool) {
			if alive {
				ch.tellSignal(s, w)
			}
			next(ch)
		})
	})
}

func (ch *chain) tellSignal(s *session, w *walk) {
	watch, ok := w.k.signals.of(s, w.name)
	if !ok {
		return
	}
	outer, quiet := ch.walk, ch.quiet
	ch.walk, ch.quiet = w, w.cause != nil
	ev := event{name: watch.event}
	ev.setArgs(slices.Concat([]any{w.name}, w.args, watch.args))
	_, err := ch.invoke(s, &ev, 0)
	ch.walk, ch.quiet = outer, quiet
	switch {
	case err == nil || err == ErrNoHandler || raisedBy(s, err):
	case w.cause != nil: // K138: the handler of DIE failed
		w.k.fail(fmt.Errorf("%w; then its DIE handler: %w", w.cause, err))
	default:
		ch.raise(s, asException(s, &ev, err))
	}
}

// verdict stops every session the signal reached, if it is to (K126, K129).
func (ch *chain) verdict(w *walk) {
	k := w.k
	release := func() {
		if w.failing != nil {
			w.failing.unhold()
		}
	}
	f := fateOf(w.name)
	if f == benign || f == terminal && w.handled {
		release()
		return
	}
	if w.cause != nil {
		k.fail(w.cause) // sets the error and asks for the kernel's stop
	}
	if w.global {
		k.stopDecided()
	}
	victims := slices.DeleteFunc(w.targets, func(s *session) bool { return s == k.root })
	ch.stopEach(victims, func(ch *chain) {
		release()
		if w.global && k.live.Load() > 0 { // sessions created while the others stopped
			k.Stop()
		}
	})
}

// fail notes why the kernel ends, and ends it. The first reason stands.
func (k *Kernel) fail(err error) {
	k.errMu.Lock()
	if k.err == nil {
		k.err = err
	} else if k.err != err {
		k.err = errors.Join(k.err, err)
	}
	k.errMu.Unlock()
	k.Stop()
}

// raisedBy reports whether err is a panic of s for which DIE is on its way already.
func raisedBy(s *session, err error) bool {
	x, ok := err.(*Exception)
	return ok && x.raised && x.Session == s.addr
}

// asException wraps a handler's error, unless it is one already.
func asException(s *session, ev *event, err error) *Exception {
	if x, ok := err.(*Exception); ok {
		return x
	}
	return &Exception{Session: s.addr, Event: ev.name, Source: addr(ev.from), Err: err}
}
