package kernel

import (
	"context"
	"sync/atomic"
)

// tokenMutex is the one token of a serial kernel. It is re-entrant: a handler
// that uses the Kernel's own Spawn or Call, where the Context's would be usual,
// runs them nested instead of waiting for itself.
type tokenMutex struct {
	sem     chan struct{} // holds one value while somebody has the token; waiters are served in order
	waiting atomic.Int32
	holder  atomic.Uintptr // see self
	nested  int
}

func newTokenMutex() tokenMutex { return tokenMutex{sem: make(chan struct{}, 1)} }

func (t *tokenMutex) lock() { _ = t.lockContext(context.Background()) }

// lockContext gives up with ctx's error.
func (t *tokenMutex) lockContext(ctx context.Context) error {
	id := self()
	if t.holder.Load() == id {
		t.nested++
		return nil
	}
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	select {
	case t.sem <- struct{}{}:
		t.holder.Store(id)
		return nil
	case <-ctx.Done():
		if context.Cause(ctx) == ErrTimeout {
			return ErrTimeout
		}
		return ctx.Err()
	}
}

// tryLock takes the token if it is free or this goroutine's.
func (t *tokenMutex) tryLock() bool {
	id := self()
	if t.holder.Load() == id {
		t.nested++
		return true
	}
	select {
	case t.sem <- struct{}{}:
		t.holder.Store(id)
		return true
	default:
		return false
	}
}

func (t *tokenMutex) unlock() {
	if t.nested > 0 {
		t.nested--
		return
	}
	t.holder.Store(0)
	<-t.sem
}

// yield lets those who wait now have the token before it goes on.
func (t *tokenMutex) yield() {
	if t.waiting.Load() == 0 {
		return
	}
	id := t.holder.Load()
	t.holder.Store(0)
	<-t.sem
	t.sem <- struct{}{}
	t.holder.Store(id)
}
