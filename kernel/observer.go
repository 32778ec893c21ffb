package kernel

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Observer is told what a kernel does. Every field is optional; a nil one costs
// nothing. The functions run on the goroutine on which the thing happens, some
// with a session's token: they must be fast, must not block, and must not call
// the kernel.
//
// With an observer that wants events, every event carries a number and that of
// the event whose handler posted it, called it or set its timer (0 when it came
// from outside). Numbers grow in the order of one goroutine; they are unique in
// a kernel.
//
// Without one (Config.Observer nil), what would be lost in silence is logged
// through slog, once per cause: unhandled events, dropped events, failures.
type Observer struct {
	Posted    func(Record)         // handed to the kernel; once more, with Err, if it was refused
	Began     func(Record)         // its handler starts
	Ended     func(Record)         // its handler returned, with Err, or panicked
	Unhandled func(Record)         // posted, and neither a handler nor _default
	Dropped   func(Record, Reason) // accepted, but it will not be handled (G9)
	Spawned   func(session Address, parent Address)
	Stopped   func(session Address)
	Restarted func(session Address, cause *Exception)  // see Supervise
	Failed    func(*Exception)                         // a handler did: DIE follows, or its supervisor decides
	Fatal     func(*Exception)                         // nobody handled it: the kernel stops
	Reported  func(component, cause string, err error) // see Kernel.Report
}

// Record is one event as observers see it.
type Record struct {
	Seq, Cause uint64
	Event      string
	From, To   Address
	Args       []any // only in Dropped
	Wheel      WheelID
	At         time.Time // by the kernel's clock
	Err        error
}

// Reason says why an accepted event was not handled.
type Reason string

const (
	ReasonStopped       Reason = "receiver stopped"
	ReasonSenderStopped Reason = "sender stopped"
)

// observe is the kernel's side of the observer.
type observe struct {
	Observer
	k      *Kernel
	on     bool     // somebody wants to see every event
	warn   bool     // nobody is set: warn through slog
	once   sync.Map // causes already logged
	causes atomic.Int32
	next   atomic.Uint64 // numbers given out to chains, in blocks
}

func (o *observe) set(k *Kernel, obs *Observer) {
	o.k = k
	if obs == nil {
		o.warn = true
		return
	}
	o.Observer = *obs
	o.on = obs.Posted != nil || obs.Began != nil || obs.Ended != nil
}

func (o *observe) record(ev *event, to *session) Record {
	return Record{Seq: ev.seq, Cause: ev.cause, Event: ev.name, From: addr(ev.from), To: addr(to), At: o.k.clock.now()}
}

// seqBlock numbers are taken at a time, so that workers share no counter per event.
const seqBlock = 1 << 16

// stamp numbers an event that is being posted.
func (o *observe) stamp(c *Context, ev *event, to *session) {
	if c == nil {
		ev.seq = o.next.Add(seqBlock)
	} else {
		o.number(c.ch, ev, c.ev.seq)
	}
	if o.Posted != nil {
		o.Posted(o.record(ev, to))
	}
}

// number gives ev the chain's next number.
func (o *observe) number(ch *chain, ev *event, cause uint64) {
	if ch.seq%seqBlock == 0 {
		ch.seq = o.next.Add(seqBlock)
	}
	ev.seq, ev.cause = ch.seq, cause
	ch.seq++
}

// refused tells that a stamped event was not accepted.
func (o *observe) refused(ev *event, to *session, err error) {
	if o.Posted != nil {
		r := o.record(ev, to)
		r.Err = err
		o.Posted(r)
	}
}

// run is the handler between Began and Ended.
func (o *observe) run(c *Context) error {
	r := o.record(&c.ev, c.s)
	r.Wheel = c.wheel
	if o.Began != nil {
		o.Began(r)
	}
	if o.Ended == nil {
		return c.s.recv.Receive(c)
	}
	err := errNoReturn
	defer func() {
		r.At, r.Err = o.k.clock.now(), err
		o.Ended(r)
	}()
	err = c.s.recv.Receive(c)
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
	if o.warn && o.first("dropped "+ev.name+string(why)) {
		slog.Warn("usher: dropped event", "event", ev.name, "to", to.describe(), "from", addr(ev.from).String(), "reason", string(why))
	}
}

func (o *observe) fatal(x *Exception) {
	if o.Fatal != nil {
		o.Fatal(x)
	}
}

func (o *observe) failed(x *Exception) {
	if o.Failed != nil {
		o.Failed(x)
	}
}

func (o *observe) spawned(s *session) {
	if o.Spawned != nil {
		o.Spawned(s.addr, addr(s.parent))
	}
}

// escalated is a failure that a supervisor decides about.
func (o *observe) escalated(s *session, x *Exception) {
	o.failed(x)
	if o.warn && o.first("supervised "+x.Event) {
		slog.Warn("usher: a supervised session failed", "session", s.describe(), "error", x)
	}
}

func (o *observe) restarted(s *session, cause *Exception) {
	if o.Restarted != nil {
		o.Restarted(s.addr, cause)
	}
}

func (o *observe) stopped(s *session) {
	if o.Stopped != nil {
		o.Stopped(s.addr)
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
