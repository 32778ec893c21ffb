package kernel

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// parallel is the scheduler of the parallel mode: a fixed set of workers, each
// with a queue of sessions that have something to do, and stealing between them.
// A goroutine per wake-up would grow its small stack again every time, which
// costs ten times what the event does.
type parallel struct {
	k *Kernel

	mu      sync.Mutex
	cond    sync.Cond // idle workers
	inject  runQueue  // of those woken from outside
	all     []*worker
	parked  int
	outside int    // goroutines inside Spawn or Call, or about to queue IDLE
	work    uint64 // done by workers that are gone, and from outside
	running bool
	ending  bool
	target  int // workers wanted
	stuck   int // workers that did not move when the monitor looked last
	crowded int // looks in a row at which goroutines waited for a processor

	runnable [1]metrics.Sample // how many do

	parkedN atomic.Int32 // copies for readers without the lock
	injectN atomic.Int32
	done    chan struct{}
	wg      sync.WaitGroup
	monitor chan struct{} // wakes the monitor
}

func newParallel(k *Kernel) *parallel {
	n := k.cfg.Workers
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &parallel{k: k, target: n, monitor: make(chan struct{}, 1)}
	p.cond.L = &p.mu
	p.runnable[0].Name = "/sched/goroutines/runnable:goroutines"
	return p
}

// enqueue puts a session that a chain has just flagged into a run queue: the
// worker's own when a handler woke it, the common one otherwise.
func (p *parallel) enqueue(ch *chain, s *session) {
	if ch.w != nil {
		if ch.w.next.CompareAndSwap(nil, s) {
			return // this worker's next turn: its cache is warm and nobody need be woken
		}
		if ch.w.looking {
			ch.w.found.push(s)
			return
		}
		ch.w.put(s)
		if p.parkedN.Load() > 0 {
			p.wakeOne()
		}
		return
	}
	p.mu.Lock()
	p.injectLocked(s)
	p.mu.Unlock()
}

// wake flags a session for whoever is on no chain, and has it queued. A goroutine
// that was held up between the two would have the kernel look idle, with an event
// in the inbox that others may have posted: so both are done under the lock.
func (p *parallel) wake(s *session, bits uint64) {
	if s.flagAwake(bits) {
		return
	}
	p.mu.Lock()
	if s.flag(bits) {
		p.injectLocked(s)
	}
	p.mu.Unlock()
}

func (p *parallel) injectLocked(s *session) {
	p.inject.push(s)
	p.injectN.Store(int32(p.inject.len()))
	if p.parked > 0 {
		p.cond.Signal()
	}
}

func (p *parallel) wakeOne() {
	p.mu.Lock()
	if p.parked > 0 {
		p.cond.Signal()
	}
	p.mu.Unlock()
}

// start lets the workers run until the kernel is done.
func (p *parallel) start() {
	p.mu.Lock()
	p.running, p.ending = true, false
	p.done = make(chan struct{})
	for range p.target {
		p.addWorker()
	}
	p.mu.Unlock()
	p.wg.Add(1)
	go p.watch()
}

// addWorker is called with the lock.
func (p *parallel) addWorker() {
	w := &worker{p: p, seen: ^uint64(0), stride: 1}
	w.ch, w.wake = p.k.newChain(w), w.wakeSource
	p.k.calls.register(w.ch)
	p.all = append(p.all, w)
	p.wg.Add(1)
	go w.loop()
}

// finish lets the workers go home. It is called with the lock.
func (p *parallel) finish() {
	if !p.ending {
		p.ending = true
		close(p.done)
		p.cond.Broadcast()
	}
}

// wait blocks until every worker and the monitor have ended.
func (p *parallel) wait() {
	p.wg.Wait()
	p.mu.Lock()
	p.running = false
	p.mu.Unlock()
}

// enter and leave bracket a goroutine's stay in Spawn or Call: the kernel is
// not idle meanwhile.
func (p *parallel) enter() {
	p.mu.Lock()
	p.outside++
	p.mu.Unlock()
}

func (p *parallel) leave() {
	p.mu.Lock()
	p.outside--
	p.work++
	if !p.k.awaits() { // otherwise it would wake a worker for nothing, with each call
		p.poke()
	}
	p.mu.Unlock()
}

// poke has the idle test made again, if everybody sleeps. Called with the lock.
func (p *parallel) poke() {
	if p.running && p.outside == 0 && p.parked == len(p.all) && p.parked > 0 {
		p.cond.Signal()
	}
}

// recheck is poke for those who do not hold the lock: a hold on the whole kernel went.
func (p *parallel) recheck() {
	p.mu.Lock()
	p.poke()
	p.mu.Unlock()
}

// idlePoint is called with the lock by the last worker that ran dry.
func (p *parallel) idlePoint() (again bool) {
	work := p.work
	for _, w := range p.all {
		work += w.work
	}
	switch p.k.idle.next(p.k, work) {
	case idleDone:
		p.finish()
	case idleIdle:
		p.announce("IDLE")
		return true
	case idleZombie:
		p.announce("ZOMBIE")
		return true
	}
	return false
}

// announce signals everyone. Until the signal is queued, nobody else may find
// the kernel idle.
func (p *parallel) announce(name string) {
	p.outside++
	p.mu.Unlock()
	p.k.signal(p.k.root, name, nil, 0)
	p.mu.Lock()
	p.outside--
}

// watch looks, while there is work that nobody takes, for workers that do not
// move: their handler blocks, or computes for long. Others are added, so that it
// harms no session but its own; they go when they find nothing to do.
func (p *parallel) watch() {
	defer p.wg.Done()
	const tick = time.Millisecond
	t := time.NewTimer(tick)
	defer t.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-t.C:
		}
		if p.relieve() {
			t.Reset(tick)
			continue
		}
		select { // everybody sleeps: so do we
		case <-p.done:
			return
		case <-p.monitor:
			t.Reset(tick)
		}
	}
}

// relieve adds workers for those that did not move since the last look. It
// reports whether anybody is awake.
func (p *parallel) relieve() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parked == len(p.all) {
		return false
	}
	stuck, waiting := 0, p.inject.len() > 0
	for _, w := range p.all {
		if n := w.turned.Load(); n == w.seen && !w.parked {
			stuck++
		} else {
			w.seen = n
		}
		waiting = waiting || w.hasWork()
	}
	p.stuck = stuck
	if !waiting || stuck == 0 {
		return true
	}
	if p.parked > 0 {
		p.cond.Signal()
		return true
	}
	if moving := len(p.all) - stuck; moving < p.target {
		for range p.reinforcements(stuck) {
			p.addWorker()
		}
	}
	return true
}

// reinforcements is how many workers to add for those that are stuck. Where
// goroutines wait for a processor, the stuck ones may just compute or wait for
// theirs, and more of them would not help: then it is one, every few looks.
func (p *parallel) reinforcements(stuck int) int {
	metrics.Read(p.runnable[:])
	if p.runnable[0].Value.Uint64() == 0 {
		p.crowded = 0
		return min(stuck, max(p.target, stuck/2), 64)
	}
	p.crowded++
	if p.crowded%5 == 0 {
		return 1
	}
	return 0
}
