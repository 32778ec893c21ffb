package kernel

import "time"

// journaled runs the handler, between two entries in the chain's journal.
func (ch *chain) journaled(c *Context) error {
	j := ch.journal
	if j == nil {
		return c.s.recv.Receive(c)
	}
	name := c.ev.name // Redirect changes it
	r := &ch.entry
	r.Seq, r.Cause, r.Event, r.Via, r.Wheel = c.ev.seq, c.ev.cause, name, c.ev.via, c.wheel
	r.From, r.To = addr(c.ev.from), c.s.addr
	nested := ch.depth > 1
	j.Began(r, ch.watch.start(nested))
	err := errNoReturn
	defer func() { j.Ended(c.ev.seq, ch.watch.stop(name, nested), err) }()
	err = c.s.recv.Receive(c)
	return err
}

// rest says that the chain has nothing to do for now.
func (ch *chain) rest() {
	if ch.journal != nil {
		ch.journal.Rest()
		ch.watch.idle = true
	}
}

// stopwatch tells a journal the time. The clock costs as much as a small event
// does, so that it is read once per handler (one begins when the last one ends)
// and, in a run of short handlers of one event, once per group of them. Only a
// nested handler, which begins and ends in the middle of another, is timed exactly.
type stopwatch struct {
	k    *Kernel
	last time.Duration
	idle bool   // last was a while ago
	name string // of the run …
	left int    // … and how many of its group are still to come
}

const (
	groupSize = 8
	shortTime = time.Microsecond // for a group, too
)

func (w *stopwatch) start(nested bool) time.Duration {
	if w.idle || nested {
		w.last, w.left, w.idle = w.read(), 0, false
	}
	return w.last
}

func (w *stopwatch) stop(name string, nested bool) time.Duration {
	if w.left > 0 && w.name == name {
		w.left--
		return w.last
	}
	now := w.read()
	w.name, w.left = name, 0
	if !nested && now-w.last < shortTime {
		w.left = groupSize - 1
	}
	w.last = now
	return now
}

func (w *stopwatch) read() time.Duration { return time.Duration(w.k.clock.elapsed()) }
