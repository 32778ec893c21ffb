package kernel

import "sync/atomic"

// visit runs j with t's token: at once when the token is free or on this chain
// (or there is only one, as in the serial modes), otherwise at the head of t's
// queue, by whoever holds the token then. What t's handlers asked for on the way
// (Context.Stop) is done when the visit is over, even if one of them ended the
// goroutine.
func (ch *chain) visit(t *session, j job) {
	switch {
	case ch.k.loop != nil:
		defer ch.k.loop.settle(ch, t)
		j(ch, !t.dead, false)
	case ch.holds(t):
		j(ch, !t.dead, false)
	case ch.take(t):
		defer ch.settle(t)
		j(ch, !t.dead, false)
	case t.pushFront(&event{kind: evJob, a: [2]any{j}}):
	default:
		j(ch, false, false)
	}
}

// pushFront puts kernel work ahead of t's events; false when t is dead, or, for
// Proto.Actor's messages, gone.
func (t *session) pushFront(ev *event) bool {
	t.mu.Lock()
	if t.gone || t.dead && ev.kind != evSys {
		t.mu.Unlock()
		return false
	}
	t.front = append(t.front, *ev)
	t.k.par.wake(t, bFront)
	t.mu.Unlock()
	return true
}

// series calls do for i … n-1 in order. A step ends when it calls next, which
// may be long after do returned and on another chain; the series then goes on
// there. Kernel work that spans sessions (signals, stops) is written with it,
// because in parallel mode a session on the way may be busy.
//
// A step that runs handlers calls next in a defer: runtime.Goexit in one of them
// must not cut off a signal or a stop in the middle.
func (ch *chain) series(i, n int, do func(ch *chain, i int, next func(*chain))) {
	for i < n && ch.step(i, n, do) {
		i++
		if ch.w != nil {
			ch.w.turned.Add(1) // a long series, not a handler that blocks
		}
	}
}

// step reports whether the caller is to go on with the next one.
func (ch *chain) step(i, n int, do func(ch *chain, i int, next func(*chain))) bool {
	var state atomic.Int32 // 1: next was called before do returned, 2: it was not
	returned := false
	defer func() {
		if !returned && !state.CompareAndSwap(0, 2) {
			ch.series(i+1, n, do) // runtime.Goexit: our caller will not
		}
	}()
	do(ch, i, func(ch *chain) {
		if !state.CompareAndSwap(0, 1) {
			ch.series(i+1, n, do)
		}
	})
	returned = true
	return !state.CompareAndSwap(0, 2)
}
