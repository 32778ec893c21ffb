package kernel

import (
	"fmt"
	"strings"
	"time"
)

func (l *lines) events(o *Observer, chosen map[string]bool) {
	word := func(r Record) string {
		if r.Via == ViaCall {
			return "calls"
		}
		return "events"
	}
	if chosen["events"] {
		o.Posted = l.posted
		o.Unhandled = func(r Record) { l.say("events", "%s is unhandled by %s", numbered(r), l.names.Of(r.To)) }
		o.Dropped = func(r Record, why Reason) {
			l.say("events", "%s to %s is dropped: %s", numbered(r), l.names.Of(r.To), why)
		}
	}
	o.Began = func(r Record) {
		if w := word(r); chosen[w] {
			l.begin(r)
			l.say(w, "%s begins in %s, by %s%s%s", numbered(r), l.names.Of(r.To), r.Via, from(l.who(r.From, "")), in(r.Cause))
		}
	}
	o.Ended = func(r Record) {
		if w := word(r); chosen[w] {
			l.say(w, "%s ends after %v%s", numbered(r), l.took(r), because(r.Err))
		}
	}
}

func (l *lines) posted(r Record) {
	if r.Err != nil {
		l.say("events", "%s is refused: %v", numbered(r), r.Err)
		return
	}
	l.say("events", "%s is posted to %s by %s%s", numbered(r), l.names.Of(r.To), l.who(r.From, "outside"), in(r.Cause))
}

func (l *lines) begin(r Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began[r.Seq] = r.At
}

func (l *lines) took(r Record) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.began[r.Seq]
	delete(l.began, r.Seq)
	return r.At.Sub(at)
}

func (l *lines) timer(r TimerRecord) {
	l.say("timers", "%q is %s by %s, due %s%s", r.Event, r.Op, l.names.Of(r.Session), r.Due.UTC().Format(time.RFC3339Nano), in(r.Cause))
}

func (l *lines) sessions(o *Observer) {
	o.Spawned = func(s, parent Address) {
		l.say("sessions", "%s is spawned, a child of %s", l.names.Of(s), l.names.Of(parent))
	}
	o.Moved = func(s, from, to Address) {
		l.say("sessions", "%s is now a child of %s, not of %s", l.names.Of(s), l.names.Of(to), l.names.Of(from))
	}
	o.Restarted = func(s Address, x *Exception) { l.say("sessions", "%s is restarted: %v", l.names.Of(s), x) }
	o.Stopping = func(r StopRecord) {
		why := string(r.Reason)
		if r.Signal != "" {
			why += " " + r.Signal
		}
		l.say("sessions", "%s stops: %s%s", l.names.Of(r.Session), why, in(r.Cause))
	}
	o.Stopped = func(s Address) { l.say("sessions", "%s has stopped", l.names.Of(s)) }
}

func (l *lines) signals(o *Observer) {
	o.Watched = func(s Address, signal, event string) {
		if event == "" {
			l.say("signals", "%s no longer watches %s", l.names.Of(s), signal)
			return
		}
		l.say("signals", "%s watches %s with %q", l.names.Of(s), signal, event)
	}
	o.Signal = l.signal
	o.Reaped = func(r ReapRecord) {
		l.say("signals", "process %d has ended: %v; tells %s", r.PID, r.State, l.list(r.Tells))
	}
	o.Failed = func(x *Exception) { l.say("signals", "DIE is raised: %v", x) }
	o.Fatal = func(x *Exception) { l.say("signals", "DIE is handled by nobody: the kernel stops: %v", x) }
}

func (l *lines) signal(r SignalRecord) {
	switch {
	case r.Op == SignalSent:
		l.say("signals", "%s is sent to %s%s", r.Name, l.who(r.To, "everyone"), in(r.Cause))
	case r.Op == SignalReaches:
		l.say("signals", "%s reaches %s", r.Name, l.list(r.Reaches))
	case r.Handled:
		l.say("signals", "%s is handled by %s; %d sessions stop", r.Name, l.names.Of(r.By), r.Stops)
	default:
		l.say("signals", "%s is handled by nobody; %d sessions stop", r.Name, r.Stops)
	}
}

func (l *lines) wheel(r WheelRecord) {
	op := "closed"
	if r.Open {
		op = "made"
	}
	l.say("files", "%s %d is %s by %s%s", r.Kind, r.ID, op, l.names.Of(r.Session), in(r.Cause))
}

func (l *lines) list(sessions []Address) string {
	if len(sessions) == 0 {
		return "nobody"
	}
	var b strings.Builder
	for i, s := range sessions {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.names.Of(s))
	}
	return b.String()
}

func numbered(r Record) string { return fmt.Sprintf("%d %q", r.Seq, r.Event) }

// in names the event whose handler did it.
func in(cause uint64) string {
	if cause == 0 {
		return ""
	}
	return fmt.Sprintf(" (in %d)", cause)
}

func from(sender string) string {
	if sender == "" {
		return ""
	}
	return " from " + sender
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(": %v", err)
}
