package kernel

import (
	"slices"
	"sync"
	"sync/atomic"
)

// worker runs sessions, one turn each. Its own goroutine pushes and pops at the
// cheap ends; thieves take from the same places.
type worker struct {
	p    *parallel
	ch   *chain
	next atomic.Pointer[session] // woken by the handler that runs: the next turn

	mu sync.Mutex
	q  runQueue
	n  atomic.Int32

	turned atomic.Uint64 // moves with the turns; the monitor looks at it
	seen   uint64        // guarded by parallel.mu
	parked bool          // guarded by parallel.mu
	work   uint64        // events of user sessions handled; read by others only while parked
	tick   uint          // turns looked for
	spent  uint          // turns since next was passed over …
	common bool          // … for the common queue
	looked uint          // … when it glanced up last, see glance
	stride uint          // turns between two glances

	wake    func(*Source) // wakeSource, bound once
	looking bool          // whom it wakes now …
	found   runQueue      // … is put into the queue with the others
	linger  linger

	glanced, yielded, sought int64 // when it did so last, by the kernel's clock
}

// fairness: next comes first, as its session is warm. After so many turns, fewer
// if they are long, it is the common queue or the worker's own, by turns: neither
// may starve.
const (
	fairness = 32
	longTurn = 8 // events that count as one more turn
)

// showTurns: the monitor looks every millisecond, which is thousands of turns.
const showTurns = 8

func (w *worker) put(s *session) {
	w.mu.Lock()
	w.q.push(s)
	w.n.Add(1)
	w.mu.Unlock()
}

// putAll moves the first n from q.
func (w *worker) putAll(q *runQueue, n int) {
	w.mu.Lock()
	for range n {
		w.q.push(q.pop())
	}
	w.n.Add(int32(n))
	w.mu.Unlock()
}

func (w *worker) get() *session {
	if w.n.Load() == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.q.pop()
	if s != nil {
		w.n.Add(-1)
	}
	return s
}

func (w *worker) hasWork() bool { return w.next.Load() != nil || w.n.Load() > 0 }

func (w *worker) loop() {
	w.p.k.calls.mu.Lock()
	w.ch.gid, w.ch.self = goroutineID(), self()
	w.p.k.calls.mu.Unlock()
	returned := false
	defer func() {
		w.retire(!returned)
		w.p.wg.Done()
	}()
	for w.turns() {
	}
	returned = true
}

// find returns the next session to run, or nil when this worker is to end.
func (w *worker) find() *session {
	w.tick++
	if w.tick%showTurns == 0 {
		w.turned.Add(1)
	}
	if w.tick-w.looked >= w.stride {
		w.looked = w.tick
		w.glance()
	}
	if w.spent >= fairness {
		w.spent = 0
		if w.common = !w.common; w.common {
			if s := w.p.injected(w); s != nil {
				return s
			}
		} else if s := w.get(); s != nil {
			return s
		}
	}
	for {
		if w.next.Load() != nil {
			if s := w.next.Swap(nil); s != nil {
				return s
			}
		}
		if s := w.get(); s != nil {
			return s
		}
		if s := w.p.injected(w); s != nil {
			return s
		}
		if s := w.steal(); s != nil {
			return s
		}
		if w.look() {
			continue
		}
		w.ch.rest()
		if w.linger.again() {
			continue
		}
		if !w.park() {
			return nil
		}
	}
}

// injected takes from the common queue, and a share of it to the worker's own.
func (p *parallel) injected(w *worker) *session {
	if p.injectN.Load() == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	share := p.inject.len() / len(p.all)
	s := p.inject.pop()
	if n := min(share, p.inject.len()); n > 0 {
		w.putAll(&p.inject, n)
	}
	if p.inject.len() > 0 && p.parked > 0 {
		p.cond.Signal()
	}
	p.injectN.Store(int32(p.inject.len()))
	return s
}

func (w *worker) steal() *session {
	p := w.p
	p.mu.Lock()
	victims := p.all
	p.mu.Unlock()
	for _, v := range victims {
		if v == w {
			continue
		}
		if s := w.rob(v); s != nil {
			return s
		}
	}
	for _, v := range victims { // only now what the victim would run next itself
		if v != w && v.next.Load() != nil && v.stuck() {
			if s := v.next.Swap(nil); s != nil {
				return s
			}
		}
	}
	return nil
}

// rob takes half of what v has: one session to run, the others for w's own queue.
// One at a time, thief and victim would meet at the lock with every session.
func (w *worker) rob(v *worker) *session {
	n := int(v.n.Load()+1) / 2
	if n == 0 {
		return nil
	}
	var few [32]*session
	loot := few[:0]
	v.mu.Lock()
	for range min(n, len(few)) {
		s := v.q.pop()
		if s == nil {
			break
		}
		loot = append(loot, s)
	}
	v.n.Add(-int32(len(loot)))
	v.mu.Unlock()
	if len(loot) == 0 {
		return nil
	}
	w.mu.Lock()
	for _, s := range loot[1:] {
		w.q.push(s)
	}
	w.n.Add(int32(len(loot) - 1))
	w.mu.Unlock()
	return loot[0]
}

// stuck reports whether the monitor saw the worker not move.
func (v *worker) stuck() bool {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	return v.turned.Load() == v.seen
}

// park sleeps until there may be work. It reports false when the worker is to end:
// the kernel is done, or there are more workers than wanted.
func (w *worker) park() bool {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending {
		return false
	}
	if len(p.all)-p.stuck > p.target && !w.hasWork() {
		p.remove(w) // at once: the next one that asks must not count us any more
		return false
	}
	w.parked = true
	p.parked++
	p.parkedN.Store(int32(p.parked))
	defer func() {
		w.parked = false
		p.parked--
		p.parkedN.Store(int32(p.parked))
		select {
		case p.monitor <- struct{}{}:
		default:
		}
	}()
	for !p.ending {
		if p.inject.len() > 0 || p.anyWork() {
			return true
		}
		if p.parked == len(p.all) && p.outside == 0 {
			if p.idlePoint() {
				continue
			}
			if p.ending {
				return false
			}
		}
		p.cond.Wait()
		if p.inject.len() > 0 || p.anyWork() {
			return true
		}
	}
	return false
}

// anyWork is called with the lock.
func (p *parallel) anyWork() bool {
	for _, w := range p.all {
		if w.n.Load() > 0 || w.next.Load() != nil && (w.parked || w.turned.Load() == w.seen) {
			return true
		}
	}
	return false
}

// remove takes a worker off the list, and keeps its work. It is called with the
// lock; others may be reading the old list.
func (p *parallel) remove(w *worker) {
	if i := slices.Index(p.all, w); i >= 0 {
		p.all = slices.Concat(p.all[:i], p.all[i+1:])
		p.work += w.work
	}
}

// retire takes the worker out; its queue goes to the others. A handler that
// called runtime.Goexit took the goroutine with it: another one follows.
func (w *worker) retire(replace bool) {
	p := w.p
	w.ch.flushAcks()
	w.ch.rest()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(w)
	p.k.calls.unregister(w.ch)
	if s := w.next.Swap(nil); s != nil {
		p.inject.push(s)
	}
	for s := w.get(); s != nil; s = w.get() {
		p.inject.push(s)
	}
	p.injectN.Store(int32(p.inject.len()))
	if replace && !p.ending {
		p.addWorker()
	}
	p.cond.Broadcast()
}
