package backend

import "time"

// deadlines are the requests that wait for their answers, in the order in which
// their time runs out: that in which they came, for all have the same time. One timer
// is enough for all of them.
type deadlines struct{ first, last *outgoing }

func (d *deadlines) add(o *outgoing, due time.Time) {
	o.due = due
	if o.before = d.last; o.before == nil {
		d.first = o
	} else {
		o.before.behind = o
	}
	d.last = o
}

// remove is also for those that are not there.
func (d *deadlines) remove(o *outgoing) {
	if o.due.IsZero() {
		return
	}
	if o.before == nil {
		d.first = o.behind
	} else {
		o.before.behind = o.behind
	}
	if o.behind == nil {
		d.last = o.before
	} else {
		o.behind.before = o.before
	}
	o.due, o.before, o.behind = time.Time{}, nil, nil
}

// limit notes a request's time. A timer that is set stays: it fires in time for the
// oldest request there is, or before that, for one that was answered.
func (l *link) limit(o *outgoing, now time.Time) {
	if o.done == nil {
		return
	}
	l.due.add(o, now.Add(l.cfg.Timeout))
	if !l.timed {
		l.timed = true
		l.do(doLimit{l.cfg.Timeout})
	}
}

// overdue: the timer has fired.
func (l *link) overdue(now time.Time) []any {
	for o := l.due.first; o != nil && !o.due.After(now); o = l.due.first {
		l.due.remove(o)
		l.failed(o, ErrTimeout)
	}
	if l.timed = l.due.first != nil; l.timed {
		l.do(doLimit{l.due.first.due.Sub(now)})
	}
	return l.take()
}
