package kernel

import (
	"errors"
	"fmt"
	"syscall"
)

// SelectMode is the second argument of a watched handle's event (K156).
type SelectMode int

const (
	SelectReading SelectMode = iota // the handle has input, or its end
	SelectWriting                   // the handle takes output
)

func (m SelectMode) String() string {
	if m == SelectWriting {
		return "SelectWrite"
	}
	return "SelectRead"
}

// ErrNotWatched: the session does not watch that handle in that mode.
var ErrNotWatched = errors.New("handle is not watched")

// SelectRead has event delivered to this session whenever a handle has something
// to read, or has ended: with the handle, SelectReading, then args. It is level
// triggered: as long as the handler leaves input, it is called again (K158), with
// other events in between. Selecting again changes event and args and resumes
// (unlike K159). An empty event ends the watch: nothing comes after it.
//
// A watch holds the session, and keeps the kernel from being idle, also while it
// is paused (K40). It makes the handle non-blocking (K157), and it has a duplicate
// of the descriptor: end it before the handle is closed, or the connection stays
// open until the session ends (K164). Handles are those of net and os; others are
// errors.ErrUnsupported.
func (c *Context) SelectRead(h syscall.Conn, event string, args ...any) error {
	c.check()
	return c.selectHandle("SelectRead", h, SelectReading, event, args)
}

// SelectWrite is SelectRead for output.
func (c *Context) SelectWrite(h syscall.Conn, event string, args ...any) error {
	c.check()
	return c.selectHandle("SelectWrite", h, SelectWriting, event, args)
}

// SelectPauseRead stops the events of SelectRead until SelectResumeRead. The
// watch still holds its session. ErrNotWatched when there is none.
func (c *Context) SelectPauseRead(h syscall.Conn) error {
	c.check()
	return c.selectPause("SelectPauseRead", h, SelectReading, true)
}

// SelectResumeRead ends SelectPauseRead.
func (c *Context) SelectResumeRead(h syscall.Conn) error {
	c.check()
	return c.selectPause("SelectResumeRead", h, SelectReading, false)
}

// SelectPauseWrite is SelectPauseRead for output.
func (c *Context) SelectPauseWrite(h syscall.Conn) error {
	c.check()
	return c.selectPause("SelectPauseWrite", h, SelectWriting, true)
}

// SelectResumeWrite ends SelectPauseWrite.
func (c *Context) SelectResumeWrite(h syscall.Conn) error {
	c.check()
	return c.selectPause("SelectResumeWrite", h, SelectWriting, false)
}

// watchKey: one watch per session, handle and mode (K159).
type watchKey struct {
	handle syscall.Conn
	mode   SelectMode
}

// watch is one watched handle. Its goroutine waits until the handle is ready,
// asks for a turn, and waits for the turn to be over before it looks again.
type watch struct {
	src    *Source
	key    watchKey
	event  string
	args   []any
	paused bool
	ready  *readiness
}

func (c *Context) selectHandle(method string, h syscall.Conn, mode SelectMode, event string, args []any) error {
	key := watchKey{h, mode}
	w := c.s.watched[key]
	switch {
	case event == "" && w == nil:
		return c.refuse(method, fmt.Errorf("select: %w", ErrNotWatched))
	case event == "":
		w.src.Close()
		return nil
	case w == nil:
		var err error
		if w, err = c.newWatch(key); err != nil {
			return c.refuse(method, err)
		}
	}
	w.event, w.args = event, append([]any(nil), args...)
	w.pause(false)
	return nil
}

func (c *Context) newWatch(key watchKey) (*watch, error) {
	if key.handle == nil {
		return nil, fmt.Errorf("%w: select of a nil handle", ErrArgument)
	}
	w := &watch{key: key, paused: true}
	s := c.s
	w.src = c.NewSource(key.mode.String(), w.turn, func() {
		delete(s.watched, key)
		if w.ready != nil {
			w.ready.close()
		}
	})
	var err error
	if w.ready, err = newReadiness(key.handle, key.mode, w.src.Wake); err != nil {
		w.src.Close()
		return nil, fmt.Errorf("select: %w", err)
	}
	if s.watched == nil {
		s.watched = make(map[watchKey]*watch)
	}
	s.watched[key] = w
	w.src.Watch(true)
	return w, nil
}

func (c *Context) selectPause(method string, h syscall.Conn, mode SelectMode, on bool) error {
	w := c.s.watched[watchKey{h, mode}]
	if w == nil {
		return c.refuse(method, fmt.Errorf("select: %w", ErrNotWatched))
	}
	w.pause(on)
	return nil
}

func (w *watch) pause(on bool) {
	was := w.paused
	w.paused = on
	if was && !on {
		w.ready.look()
	}
}

// turn delivers the event, unless it was paused meanwhile, and looks again.
func (w *watch) turn(c *Context) {
	if w.paused {
		return
	}
	args := append([]any{w.key.handle, w.key.mode}, w.args...)
	if w.src.Deliver(c, w.event, args...) && !w.paused {
		w.ready.look()
	}
}
