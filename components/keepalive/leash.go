package keepalive

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

// leash is between a Conn and its user, and nowhere else, while the connection is
// lent: when the collector finds it, nobody has the Conn any more. One serves all
// loans of a connection, because the runtime's cleanup costs more than a loan.
type leash struct{ ties *ties }

// ties is what a leash holds, apart from it.
type ties struct{ loan atomic.Pointer[loan] }

// handle makes the Conn of a loan.
func (l *loan) handle() *Conn {
	s := l.open.leash
	l.open.leash = nil // or the pool would have it, too
	if s == nil {      // the connection is new, or came back without its Conn
		s = &leash{&ties{}}
		runtime.AddCleanup(s, (*ties).lost, s.ties)
	}
	s.ties.loan.Store(l)
	return &Conn{l, s}
}

// keep takes the leash back with a loan that has ended.
func (e *entry) keep(s *leash) {
	s.ties.loan.Store(nil) // the runtime holds the ties, and they must not hold the leash
	e.leash = s
}

// lost is Close by the garbage collector.
func (t *ties) lost() {
	l := t.loan.Load()
	if l == nil || !l.claim() {
		return
	}
	l.pool.k.Report("keepalive", "connection dropped without Release", l.story())
	l.open.close()
	l.post()
}

// story says whose the connection is, for a report.
func (l *loan) story() error {
	o := l.order
	who := "Get"
	if o.who != "" {
		who = fmt.Sprintf("session %v, event %q", o.who, o.event)
	}
	if o.site != nil {
		who += ", asked for at " + o.site.String()
	}
	return fmt.Errorf("connection to %v of %s", o.key, who)
}
