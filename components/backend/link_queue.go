package backend

import (
	"fmt"
	"slices"
	"time"
)

// submit takes a message. With an error nothing happened, but for ErrFull under
// RefuseNewest; DropOldest makes room.
func (l *link) submit(o *outgoing, now time.Time) ([]any, error) {
	switch {
	case l.state == Closed || l.leaving && o.epoch == 0:
		return nil, ErrClosed
	case o.epoch != 0 && (o.epoch != l.epoch || !l.stands()):
		return nil, ErrRolledBack
	case !l.makeRoom(len(o.encoded)):
		return nil, ErrFull
	}
	due := o.epoch == 0 && o.name != cmdPing && l.pingDue(now)
	l.access = now // B11
	l.push(o)
	switch {
	case l.state == Ready && due:
		l.sendPing(now)
	case l.state == Ready:
		if o.name == cmdPing && l.recent(now) {
			o.encoded = nil // the server does not want it, and nobody needs it
		}
		l.flush(func(*outgoing) bool { return true })
	case l.state == Draining:
		l.flush(func(o *outgoing) bool { return o.epoch != 0 })
	}
	return l.take(), nil
}

func (l *link) makeRoom(size int) bool {
	for len(l.queue) >= l.cfg.MaxQueued || l.queued+size > l.cfg.MaxQueuedBytes {
		if l.cfg.Overflow == RefuseNewest || len(l.queue) == 0 {
			return false
		}
		o := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		l.queued -= len(o.encoded)
		l.dropped++
		if o.done == nil {
			l.do(doDropped{o})
		}
		l.answer(o, ErrFull)
	}
	return true
}

func (l *link) push(o *outgoing) {
	l.queue = append(l.queue, o)
	l.queued += len(o.encoded)
}

func (l *link) clearQueue() []*outgoing {
	queue := l.queue
	l.queue, l.queued = nil, 0
	return queue
}

// flush sends what waits and may go.
func (l *link) flush(may func(*outgoing) bool) {
	for _, o := range l.clearQueue() {
		switch {
		case !may(o):
			l.push(o)
			continue
		case o.encoded == nil:
			l.do(doAnswer{o, Reply{}})
			continue
		case o.done != nil:
			l.asked[o.id] = o
			l.calls++
		}
		if o.sentOver != nil {
			*o.sentOver = l.epoch
		}
		l.do(doSend{o})
	}
}

// fail ends a request, wherever it is, because its time is over (ErrTimeout, or
// its context's error), or because the connection does not take it (ErrFull).
func (l *link) fail(o *outgoing, err error) []any {
	if l.asked[o.id] == o {
		delete(l.asked, o.id)
		if o.lost != nil && err != ErrFull {
			err = fmt.Errorf("%w: %w", o.lost, err)
		}
		l.answer(o, err)
	} else if i := slices.Index(l.queue, o); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		l.queued -= len(o.encoded)
		l.answer(o, err)
	} // else it was answered before
	l.settle()
	return l.take()
}
