package kernel

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// observe is the kernel's side of the observer.
type observe struct {
	Observer
	k      *Kernel
	on     bool     // somebody wants events numbered
	warn   bool     // Config.Observer is nil: warn through slog
	once   sync.Map // causes already logged
	causes atomic.Int32
	next   atomic.Uint64 // numbers given out to chains, in blocks
}

// set takes the user's observer, and the one that the environment asks for.
func (o *observe) set(k *Kernel, obs *Observer) {
	o.k, o.warn = k, obs == nil
	if obs = Observers(obs, linesOfEnvironment()); obs == nil {
		return
	}
	o.Observer = *obs
	o.on = obs.Posted != nil || obs.Began != nil || obs.Ended != nil || obs.Journal != nil
}

func (o *observe) record(ev *event, to *session) Record {
	return Record{Seq: ev.seq, Cause: ev.cause, Event: ev.name, From: addr(ev.from), To: addr(to), Via: ev.via, At: o.k.clock.now()}
}

// seqBlock numbers are taken at a time, so that workers share no counter per event.
const seqBlock = 1 << 16

// number gives ev the next number; ch is nil outside of any chain.
func (o *observe) number(ch *chain, ev *event) {
	if ch == nil {
		ev.seq = o.next.Add(seqBlock)
		return
	}
	if ch.seq%seqBlock == 0 {
		ch.seq = o.next.Add(seqBlock)
	}
	ev.seq = ch.seq
	ch.seq++
}

// stamp numbers an event that is being posted.
func (o *observe) stamp(ch *chain, ev *event, to *session) {
	o.number(ch, ev)
	if o.Posted != nil {
		o.Posted(o.record(ev, to))
	}
}

// refused tells that a stamped event was not accepted.
func (o *observe) refused(ev *event, to *session, err error) {
	if o.Posted != nil {
		r := o.record(ev, to)
		r.Err = err
		o.Posted(r)
	}
}

// run runs the handler, and tells of its beginning and its end.
func (o *observe) run(c *Context) error {
	c.s.last = c.ev.seq
	if o.Began == nil && o.Ended == nil {
		return c.ch.journaled(c)
	}
	r := o.record(&c.ev, c.s)
	r.Wheel = c.wheel
	if o.Began != nil {
		o.Began(r)
	}
	if o.Ended == nil {
		return c.ch.journaled(c)
	}
	err := errNoReturn
	defer func() {
		r.At, r.Err = o.k.clock.now(), err
		o.Ended(r)
	}()
	err = c.ch.journaled(c)
	return err
}

func (o *observe) unhandled(ev *event, s *session) {
	if own(ev.name) {
		return
	}
	if o.Unhandled != nil {
		o.Unhandled(o.record(ev, s))
	}
	if o.warn && o.first("unhandled "+ev.name) {
		slog.Warn("usher: unhandled event; add session.Handle for it, or a _default handler",
			"event", ev.name, "session", s.describe(), "from", addr(ev.from).String())
	}
}

func (o *observe) drop(ev *event, to *session, why Reason) {
	if o.Dropped != nil {
		r := o.record(ev, to)
		r.Args = ev.args()
		o.Dropped(r, why)
	}
	if o.warn && !o.k.stopped() && o.first("dropped "+ev.name+string(why)) {
		slog.Warn("usher: dropped event", "event", ev.name, "to", to.describe(), "from", addr(ev.from).String(), "reason", string(why))
	}
}

// first limits a warning to one per cause, and their number to what a person reads.
func (o *observe) first(cause string) bool {
	if o.causes.Load() >= maxCauses {
		return false
	}
	_, seen := o.once.LoadOrStore(cause, true)
	if !seen {
		o.causes.Add(1)
	}
	return !seen
}

// own reports whether an event is one of the kernel's, which nobody has to handle.
func own(name string) bool {
	switch name {
	case "_start", "_stop", "_child", "_parent":
		return true
	}
	return false
}
