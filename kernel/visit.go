package kernel

import "sync/atomic"

// visit runs j with t's token: at once when the token is free or on this chain
// (or there is only one, as in the serial modes), otherwise at the head of t's
// queue, by whoever holds the token then. It reports whether j has run.
func (ch *chain) visit(t *session, j job) bool {
	switch {
	case ch.holds(t):
		j(ch, !t.dead, false)
	case ch.take(t):
		j(ch, !t.dead, false)
		ch.settle(t)
	case t.pushFront(&event{kind: evJob, a: [2]any{j}}):
		return false
	default:
		j(ch, false, false)
	}
	return true
}

// pushFront puts kernel work ahead of t's events; false when t is dead.
func (t *session) pushFront(ev *event) bool {
	t.mu.Lock()
	if t.dead && ev.kind != evSys {
		t.mu.Unlock()
		return false
	}
	t.front = append(t.front, *ev)
	enqueue := t.flag(bFront)
	t.mu.Unlock()
	if enqueue {
		t.k.par.enqueue(nil, t)
	}
	return true
}

// series calls do for i … n-1 in order. A step ends when it calls next, which
// may be long after do returned and on another chain; the series then goes on
// there. Kernel work that spans sessions (signals, stops) is written with it,
// because in parallel mode a session on the way may be busy.
func (ch *chain) series(i, n int, do func(ch *chain, i int, next func(*chain))) {
	for ; i < n; i++ {
		var state atomic.Int32 // 1: next was called before do returned, 2: it was not
		do(ch, i, func(ch *chain) {
			if !state.CompareAndSwap(0, 1) {
				ch.series(i+1, n, do)
			}
		})
		if state.CompareAndSwap(0, 2) {
			return
		}
	}
}
