package wheeltest

import (
	"github.com/usher-go/usher/wheel"
)

// tries is the face of a faulty connection that does not wait.
type tries struct {
	*faulty
	p wheel.Pollable

	// Under faulty's mu.
	readable func()
	due      bool // the delay is over, and the next read may take place
	stop     func() bool
}

var _ wheel.Pollable = (*tries)(nil)

func newTries(f *faulty, p wheel.Pollable) *tries { return &tries{faulty: f, p: p} }

// TryRead is part of wheel.Pollable.
func (t *tries) TryRead(p []byte) (int, error) {
	if t.delay > 0 && t.wait() {
		return 0, wheel.ErrAgain
	}
	n, err := t.read(p, t.p.TryRead)
	if err != wheel.ErrAgain {
		t.mu.Lock()
		t.due = false
		t.mu.Unlock()
	}
	return n, err
}

// wait reports whether the delay is still to come, or goes on.
func (t *tries) wait() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.due && t.stop == nil && !t.closed {
		t.stop = t.clock.AfterFunc(t.delay, t.over)
	}
	return !t.due && !t.closed
}

func (t *tries) over() {
	t.mu.Lock()
	t.due, t.stop = true, nil
	readable := t.readable
	t.mu.Unlock()
	if readable != nil {
		readable()
	}
}

// TryWrite is part of wheel.Pollable.
func (t *tries) TryWrite(p []byte) (int, error) { return t.write(p, t.p.TryWrite) }

// Notify is part of wheel.Pollable.
func (t *tries) Notify(readable, writable func()) {
	t.mu.Lock()
	t.readable = readable
	t.mu.Unlock()
	t.p.Notify(readable, writable)
}

// Close is faulty's.
func (t *tries) Close() error {
	t.mu.Lock()
	stop := t.stop
	t.readable = nil
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
	return t.faulty.Close()
}
