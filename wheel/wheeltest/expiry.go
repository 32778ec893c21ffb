package wheeltest

import (
	"sync"
	"time"
)

// expiry is a deadline for those who wait on channels.
type expiry struct {
	clock clock

	mu   sync.Mutex
	ch   chan struct{} // closed when it has passed
	over bool
	sets int
	stop func() bool
}

func newExpiry(c clock) *expiry { return &expiry{clock: c, ch: make(chan struct{})} }

func (e *expiry) passed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ch
}

func (e *expiry) set(t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sets++; e.stop != nil {
		e.stop()
		e.stop = nil
	}
	if e.over {
		e.ch, e.over = make(chan struct{}), false
	}
	if t.IsZero() {
		return
	}
	if d := t.Sub(e.clock.Now()); d > 0 {
		set := e.sets
		e.stop = e.clock.AfterFunc(d, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			if set == e.sets { // and not one that came too late to be stopped
				e.pass()
			}
		})
		return
	}
	e.pass()
}

func (e *expiry) pass() {
	e.over = true
	close(e.ch)
}
