package kernel

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// calls is where a call waits for the token of a session that another chain
// holds, and where cycles of such waits are seen before they close (G4).
type calls struct {
	k       *Kernel
	mu      sync.Mutex
	chains  map[uint32]*chain
	workers map[uint32]*chain // those of the chains that are workers'
	waiters map[*session][]*waiter
}

type waiter struct {
	ch    *chain
	ready chan struct{} // closed when the token is ours, or err is set
	err   error
}

func (q *calls) register(ch *chain) {
	q.mu.Lock()
	if q.chains == nil {
		q.chains = make(map[uint32]*chain)
		q.workers = make(map[uint32]*chain)
		q.waiters = make(map[*session][]*waiter)
	}
	q.chains[ch.id] = ch
	if ch.w != nil {
		q.workers[ch.id] = ch
	}
	q.mu.Unlock()
}

func (q *calls) unregister(ch *chain) {
	q.mu.Lock()
	delete(q.chains, ch.id)
	if ch.w != nil {
		delete(q.workers, ch.id)
	}
	q.mu.Unlock()
}

// acquire waits until ch has s's token.
func (q *calls) acquire(ctx context.Context, ch *chain, s *session) error {
	w, err := q.stand(ch, s)
	if w == nil {
		return err
	}
	var timeout <-chan time.Time
	if d := q.k.cfg.CallTimeout; d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-w.ready:
		return w.err
	case <-timeout:
		err = ErrTimeout
	case <-ctx.Done():
		err = ctx.Err()
	}
	if q.leave(ch, s, w) {
		return err
	}
	if w.err == nil { // handed over just now
		ch.settle(s)
	}
	return err
}

// stand takes the token if it became free, and queues for it otherwise.
func (q *calls) stand(ch *chain, s *session) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if ch.take(s) {
			return nil, nil
		}
		old := s.state.Load()
		if old&bHeld != 0 && s.state.CompareAndSwap(old, old|bWaiters) {
			break
		}
		runtime.Gosched() // a first event is being put in
	}
	if ch.w == nil {
		ch.below = q.workerOf(self())
	}
	if cycle := q.cycle(ch, s); cycle != "" {
		return nil, fmt.Errorf("%w: %s", ErrDeadlock, cycle)
	}
	w := &waiter{ch: ch, ready: make(chan struct{})}
	q.waiters[s] = append(q.waiters[s], w)
	ch.waiting(s)
	return w, nil
}

// workerOf finds the worker that is this goroutine: a handler that used the
// Kernel's own Call waits with a chain that knows nothing of the worker's.
func (q *calls) workerOf(goroutine uintptr) *chain {
	for _, ch := range q.workers {
		if ch.self == goroutine {
			return ch
		}
	}
	return nil
}

// waiting notes whose token the chain waits for, nil for none.
func (ch *chain) waiting(s *session) {
	ch.waits = s
	if ch.below != nil {
		ch.below.waits = s
	}
}

// cycle follows who waits for whom from s; it names the way back to ch, if
// there is one.
func (q *calls) cycle(ch *chain, s *session) string {
	var way []string
	for range len(q.chains) + 1 {
		holder := q.chains[holderOf(s.state.Load())]
		if holder == nil {
			return ""
		}
		way = append(way, string(s.addr))
		if holder == ch.below {
			return "Kernel.Call inside a handler waits for " + strings.Join(way, ", whose caller waits for ") + "; use Context.Call"
		}
		if holder == ch {
			return "waiting for " + strings.Join(way, ", whose caller waits for ")
		}
		if s = holder.waits; s == nil {
			return ""
		}
	}
	return ""
}

// handOver gives s's token to the first waiter; false when there is none.
func (q *calls) handOver(s *session) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.dead { // they came after the session told its waiters
		q.abandonLocked(s)
	}
	list := q.waiters[s]
	if len(list) == 0 {
		q.noWaiters(s)
		return false
	}
	w := list[0]
	q.pop(s, list[1:])
	for {
		old := s.state.Load()
		next := old&^(bHeld|uint64(0xffffffff)<<holderShift) | w.ch.mark()
		if len(list) == 1 {
			next &^= bWaiters
		}
		if s.state.CompareAndSwap(old, next) {
			break
		}
	}
	w.ch.waiting(nil)
	close(w.ready)
	return true
}

func (q *calls) pop(s *session, rest []*waiter) {
	if len(rest) == 0 {
		delete(q.waiters, s)
	} else {
		q.waiters[s] = rest
	}
}

// noWaiters takes the flag back that those left who gave up (ErrDeadlock, a
// timeout). The holder may have kept the session for their sake: it is to look again.
func (q *calls) noWaiters(s *session) {
	for {
		old := s.state.Load()
		if s.state.CompareAndSwap(old, old&^bWaiters|bLook) {
			return
		}
	}
}

// leave takes a waiter out; false when it was served already.
func (q *calls) leave(ch *chain, s *session, w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, v := range q.waiters[s] {
		if v == w {
			q.pop(s, append(q.waiters[s][:i:i], q.waiters[s][i+1:]...))
			ch.waiting(nil)
			return true
		}
	}
	return false
}

// abandon tells the calls that wait for a session which has just ended.
func (q *calls) abandon(s *session) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.abandonLocked(s)
}

func (q *calls) abandonLocked(s *session) {
	for _, w := range q.waiters[s] {
		w.err = ErrStopped
		w.ch.waiting(nil)
		close(w.ready)
	}
	delete(q.waiters, s)
}
