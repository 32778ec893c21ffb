package backend

import (
	"fmt"
	"slices"
	"time"
)

// submit takes a message. With an error nothing happened.
func (l *link) submit(o *outgoing, now time.Time) ([]any, error) {
	switch {
	case l.state == Closed || l.leaving && o.epoch == 0:
		return nil, ErrClosed
	case o.epoch != 0 && (o.epoch != l.epoch || !l.stands()):
		return nil, ErrRolledBack
	case l.isDown() != nil:
		return nil, l.isDown()
	case !l.makeRoom(o):
		return nil, ErrFull
	}
	due := o.epoch == 0 && o.name != cmdPing && l.pingDue(now)
	l.access = now // B11
	l.limit(o, now)
	l.push(o)
	switch {
	case l.state == Ready && due:
		l.sendPing(now)
	case l.state == Ready:
		l.flush(now, func(*outgoing) bool { return true })
	case l.state == Draining:
		l.flush(now, func(o *outgoing) bool { return o.epoch != 0 })
	}
	return l.take(), nil
}

// makeRoom drops nothing for a message that does not fit into an empty queue either.
// What it lets in the connection takes, once it may go: this one has the room now, and
// the output of another is as large as the queue may be. What a server that drains still
// takes goes at once; all else waits for the next connection.
func (l *link) makeRoom(o *outgoing) bool {
	size, limit := len(o.encoded), l.cfg.MaxQueuedBytes
	switch {
	case l.state == Draining && o.epoch != 0:
		return size <= min(limit, l.room())
	case l.state == Ready || l.state == Suspect:
		limit = min(limit, l.room())
	}
	if size > limit {
		return false
	}
	for len(l.queue) >= l.cfg.MaxQueued || l.queued+size > limit {
		if l.cfg.Overflow == RefuseNewest {
			return false
		}
		oldest := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		l.queued -= len(oldest.encoded)
		l.dropped++
		if oldest.done == nil {
			l.do(doDropped{oldest})
		}
		l.answerErr(oldest, ErrFull)
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

// flush sends what waits and may go. A ping that the server wants no more, and so
// nobody needs, has its answer at once.
func (l *link) flush(now time.Time, may func(*outgoing) bool) {
	kept := l.queue[:0]
	for _, o := range l.queue {
		if !may(o) {
			kept = append(kept, o)
			continue
		}
		l.queued -= len(o.encoded)
		switch {
		case o.encoded == nil, o.name == cmdPing && !o.always && l.recent(now):
			l.answer(o, Reply{})
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
	clear(l.queue[len(kept):])
	if l.queue = kept; len(kept) == 0 && cap(kept) > 64 {
		l.queue = nil // what a long wait took is not kept
	}
}

// isDown is why nothing may wait for a connection now: Config.FailFast.
func (l *link) isDown() error {
	if n := l.cfg.FailFast; n == 0 || l.failures < n {
		return nil
	}
	return fmt.Errorf("%w: %d attempts failed, at last: %w", ErrDown, l.failures, l.err)
}

// failFast answers the requests that wait, if they may no longer.
func (l *link) failFast() {
	if err := l.isDown(); err != nil {
		l.failWaiting(err)
	}
}

// failWaiting answers the requests that wait. Other messages, whose senders have been
// told that they will go, wait on.
func (l *link) failWaiting(err error) {
	for _, o := range l.clearQueue() {
		if o.done != nil {
			l.answerErr(o, err)
		} else {
			l.push(o)
		}
	}
}

// fail ends a request, wherever it is, because its time is over: ErrTimeout, or its
// context's error.
func (l *link) fail(o *outgoing, err error) []any {
	l.failed(o, err)
	return l.take()
}

// inVain is the error of a request that was sent, or may have been, and that nobody
// waits for any more.
func (o *outgoing) inVain(err error) error {
	if o.lost == nil {
		return err
	}
	return fmt.Errorf("%w: %w", o.lost, err)
}

func (l *link) failed(o *outgoing, err error) {
	if l.asked[o.id] == o {
		delete(l.asked, o.id)
		l.answerErr(o, o.inVain(err))
	} else if i := slices.Index(l.queue, o); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		l.queued -= len(o.encoded)
		if l.err != nil && !l.stands() {
			err = fmt.Errorf("%w; there is no connection: %w", err, l.err)
		}
		l.answerErr(o, err)
	} // else it was answered before
	l.settle()
}
