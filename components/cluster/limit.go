package cluster

import (
	"context"
	"sync"
	"time"
)

// callLimit is a context that ends at a time, and costs a timer only if somebody waits
// for that: a call that finds its session free does not.
type callLimit struct {
	at     time.Time
	once   sync.Once
	waited context.Context // nil until then
	cancel context.CancelFunc
}

var _ context.Context = (*callLimit)(nil)

func (l *callLimit) Deadline() (time.Time, bool) { return l.at, true }

func (l *callLimit) Value(any) any { return nil }

func (l *callLimit) Done() <-chan struct{} {
	l.once.Do(func() { l.waited, l.cancel = context.WithDeadline(context.Background(), l.at) })
	return l.waited.Done()
}

// Err may run ahead of Done by as long as a timer is late.
func (l *callLimit) Err() error {
	if time.Now().Before(l.at) {
		return nil
	}
	return context.DeadlineExceeded
}

// end is for whoever has made it, when the call is over.
func (l *callLimit) end() {
	l.once.Do(func() { l.waited = endedContext })
	if l.cancel != nil {
		l.cancel()
	}
}

var endedContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
