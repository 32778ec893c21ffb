package kernel

import (
	"fmt"
	"time"
)

// Delay has event posted to this session after d, instead of any timer of that
// name (K96). A d of zero or less stands in line like a post made now. The timer
// holds the session. It never fires early, and never after its removal (G10).
func (c *Context) Delay(event string, d time.Duration, args ...any) {
	c.check()
	c.AlarmClear(event)
	c.k.timers.set(c, event, c.after(d), args)
}

// DelayAdd is Delay beside what is set already (K99).
func (c *Context) DelayAdd(event string, d time.Duration, args ...any) {
	c.check()
	c.k.timers.set(c, event, c.after(d), args)
}

// DelaySet is DelayAdd and returns the timer's ID, for DelayAdjust, AlarmAdjust
// and AlarmRemove (K100).
func (c *Context) DelaySet(event string, d time.Duration, args ...any) TimerID {
	c.check()
	return c.k.timers.set(c, event, c.after(d), args)
}

// Alarm has event posted to this session at a point in time, instead of any
// timer of that name. In the serial modes a time that has passed goes ahead of
// posts already queued (K53). A wall-clock time is turned into a distance when
// the timer is set: later jumps of the wall clock do not move it.
func (c *Context) Alarm(event string, at time.Time, args ...any) {
	c.check()
	c.AlarmClear(event)
	c.k.timers.set(c, event, c.at(at), args)
}

// AlarmAdd is Alarm beside what is set already.
func (c *Context) AlarmAdd(event string, at time.Time, args ...any) {
	c.check()
	c.k.timers.set(c, event, c.at(at), args)
}

// AlarmSet is AlarmAdd and returns the timer's ID (K100).
func (c *Context) AlarmSet(event string, at time.Time, args ...any) TimerID {
	c.check()
	return c.k.timers.set(c, event, c.at(at), args)
}

// after and at compute a timer's due time. In the serial modes the queue's clock
// is brought up to date, so that later posts come after a timer that is due now.
func (c *Context) after(d time.Duration) int64 { return later(c.catchUp(), max(int64(d), 0)) }

func (c *Context) at(t time.Time) int64 {
	c.catchUp()
	return c.k.timers.at(t)
}

func (c *Context) catchUp() (now int64) {
	now = c.k.clock.elapsed()
	if l := c.k.loop; l != nil {
		l.now = max(l.now, now)
		now = l.now
	}
	return now
}

// AlarmClear removes this session's timers of a name, however they were set,
// and returns how many there were (K97). Posts of that name stay (K98).
func (c *Context) AlarmClear(event string) int {
	c.check()
	return c.k.timers.clear(c.s, event, c.ev.seq)
}

// AlarmRemove removes a timer and returns what it was. ErrNoTimer: it fired, was
// removed before, or is not this session's (K102).
func (c *Context) AlarmRemove(id TimerID) (Timer, error) {
	c.check()
	t := &c.k.timers
	t.mu.Lock()
	i, r := t.find(c.s, id)
	if r == nil {
		t.mu.Unlock()
		return Timer{}, c.refuse("AlarmRemove", noTimer(id))
	}
	was := t.describe(r)
	t.drop(i, c.ev.seq)
	t.mu.Unlock()
	t.over(c.s, 1)
	return was, nil
}

// AlarmRemoveAll removes this session's timers and returns them in the order in
// which they would have come (K105).
func (c *Context) AlarmRemoveAll() []Timer {
	c.check()
	var all []Timer
	c.k.timers.removeAll(c.s, &all, c.ev.seq)
	return all
}

// DelayAdjust moves a timer to d from now and returns its new due time (K104).
func (c *Context) DelayAdjust(id TimerID, d time.Duration) (due time.Time, err error) {
	c.check()
	return c.adjust("DelayAdjust", id, func(int64) int64 { return c.after(d) })
}

// AlarmAdjust moves a timer by delta from its due time and returns the new one,
// which may have passed (K103).
func (c *Context) AlarmAdjust(id TimerID, delta time.Duration) (due time.Time, err error) {
	c.check()
	return c.adjust("AlarmAdjust", id, func(was int64) int64 { return later(was, int64(delta)) })
}

// adjust moves a timer behind those of the same time (K107), even if its own stays.
// One that fired but was not dispatched goes back to waiting: the event on its way
// finds it changed.
func (c *Context) adjust(method string, id TimerID, move func(int64) int64) (due time.Time, err error) {
	t := &c.k.timers
	t.mu.Lock()
	i, r := t.find(c.s, id)
	if r == nil {
		t.mu.Unlock()
		return time.Time{}, c.refuse(method, noTimer(id))
	}
	r.due, r.seq = move(r.due), t.sequence()
	if r.pos == firedPos {
		t.push(i)
	} else {
		t.fix(int(r.pos), i)
	}
	t.lead()
	at, name := r.due, r.name
	due = c.k.timeOf(at)
	t.mu.Unlock()
	t.k.obs.timer(TimerMoved, c.s, name, id, at, c.ev.seq)
	t.alarm(at)
	return due, nil
}

func noTimer(id TimerID) error {
	return fmt.Errorf("timer %d: %w: it fired, was removed, or belongs to another session", id, ErrNoTimer)
}
