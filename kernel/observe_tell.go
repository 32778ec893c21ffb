package kernel

import (
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"
)

// What follows tells the observer, if it wants to hear of it.

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

func (o *observe) moved(s, from, to *session) {
	if o.Moved != nil {
		o.Moved(s.addr, from.addr, to.addr)
	}
}

// timer takes what is in a timer's record.
func (o *observe) timer(op TimerOp, s *session, name string, id TimerID, due int64, cause uint64) {
	if o.Timer != nil {
		o.Timer(TimerRecord{op, id, s.addr, name, o.k.start.Add(time.Duration(due)), cause})
	}
}

// held tells of a hold that was added, or is about to be dropped. What holds the
// kernel itself is not of interest.
func (o *observe) held(s *session, kind HoldKind, detail string, up bool) {
	if o.Held != nil && s.id != 0 {
		o.holding(s, kind, detail, up)
	}
}

func (o *observe) holding(s *session, kind HoldKind, detail string, up bool) {
	left := s.holds.Load()
	if !up {
		left--
	}
	o.Held(HoldRecord{Session: s.addr, Kind: kind, Detail: detail, Up: up, Left: int(left)})
}

// pid is a process as held wants it.
func (o *observe) pid(pid int) string {
	if o.Held == nil {
		return ""
	}
	return strconv.Itoa(pid)
}

func (o *observe) reaped(pid int, state *os.ProcessState, watchers map[*session]procWatch) {
	if o.Reaped == nil {
		return
	}
	r := ReapRecord{PID: pid, State: state}
	for s := range watchers {
		r.Tells = append(r.Tells, s.addr)
	}
	slices.Sort(r.Tells)
	o.Reaped(r)
}

func (o *observe) wheel(src *Source, open bool) {
	if o.Wheel != nil {
		o.Wheel(WheelRecord{Session: src.s.addr, ID: src.id, Kind: src.kind, Open: open, Cause: src.cause})
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

func (o *observe) stoppingOf(s *session, why stop) {
	if o.Stopping != nil {
		o.Stopping(StopRecord{Session: s.addr, Reason: why.reason, Signal: why.signal, Cause: why.cause})
	}
}

func (o *observe) stopped(s *session) {
	if o.Stopped != nil {
		o.Stopped(s.addr)
	}
}

func (o *observe) signal(op SignalOp, w *walk, stops int) {
	if o.Signal == nil {
		return
	}
	r := SignalRecord{Op: op, Name: w.public(), To: w.target.addr, Cause: w.sender, Handled: w.handled, By: addr(w.by), Stops: stops}
	for _, s := range w.targets {
		if s != w.k.root {
			r.Reaches = append(r.Reaches, s.addr)
		}
	}
	o.Signal(r)
}

// refuse tells of an error that a method returns, and returns it. c is nil outside
// of handlers.
func (o *observe) refuse(c *Context, method string, err error) error {
	if o.Refused != nil && err != nil {
		r := RefusalRecord{Method: method, Cause: seqOf(c), Err: err}
		if c != nil {
			r.Session = c.s.addr
		}
		o.Refused(r)
	}
	return err
}

func (c *Context) refuse(method string, err error) error { return c.k.obs.refuse(c, method, err) }

// seqOf is the number of the event that c handles.
func seqOf(c *Context) uint64 {
	if c == nil {
		return 0
	}
	return c.ev.seq
}
