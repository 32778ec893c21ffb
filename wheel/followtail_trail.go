package wheel

import (
	"slices"
	"time"
)

// maxNext bounds the files that were seen and wait for their turn: each is open.
const maxNext = 16

// place is a name in a file system. ok is false when it names nothing that can be
// opened now; an error, nothing that ever can.
type place interface {
	id() (id followID, ok bool, err error)
	open() (f *followed, ok bool, err error)
}

// trail is the files that a name has named, in order: the one that is read, and
// those that were seen since. It is a follower without goroutine, clock and
// operating system.
type trail struct {
	place  place // nil: a file without a name
	grace  time.Duration
	cur    *followed // nil: none yet
	next   []*followed
	since  time.Time // when cur had brought its last, or the first of next was seen
	closed bool
}

// found is what became of a look.
type found struct {
	n     int           // bytes that were read
	reset ResetReason   // or a file begins anew, at its position
	at    int64         //
	again time.Duration // when to look again, if not 0
}

// step looks once, and does what is to be done. buf takes what is read, up to room
// bytes, and has room for knownBytes more. With room < 0 only the name is looked at.
func (t *trail) step(now time.Time, buf []byte, room int) (found, error) {
	if err := t.seek(now); err != nil {
		return found{}, err
	}
	if room < 0 {
		return found{}, nil
	}
	v := followView{open: t.cur != nil, next: len(t.next) > 0}
	left := t.grace - now.Sub(t.since)
	v.quiet = left <= 0
	n := 0
	if v.open {
		var err error
		if n, v.changed, err = t.cur.look(buf, room); err != nil {
			return found{}, &Error{Op: "read", Err: err}
		}
		v.end = n == 0 && room > 0
	}
	switch v.act() {
	case followRead:
		if n > 0 {
			t.cur.passed(buf[:n])
			t.since = now
		}
		return found{n: n}, nil
	case followRewind:
		t.cur.rewind()
		t.since = now
		return found{reset: ResetTruncated}, nil
	case followTake:
		reason := t.take(now, buf)
		return found{reset: reason, at: t.cur.at}, nil
	}
	if v.open && v.next {
		return found{again: left}, nil
	}
	return found{}, nil
}

// seek looks whether the name names another file than it did, and opens it: when
// its turn comes, the name may be another's.
func (t *trail) seek(now time.Time) error {
	if t.place == nil || len(t.next) >= maxNext {
		return nil
	}
	id, ok, err := t.place.id()
	if !ok || err != nil || t.newest(id) {
		return err
	}
	f := t.known(id)
	if f == nil {
		if f, ok, err = t.place.open(); !ok || err != nil {
			return err
		}
		if had := t.known(f.id); had != nil { // the name has changed meanwhile
			_ = f.file.Close()
			if f = had; t.newest(f.id) {
				return nil
			}
		}
	}
	if len(t.next) == 0 {
		t.since = now
	}
	t.next = append(t.next, f)
	return nil
}

// newest: it is the file that the name named last.
func (t *trail) newest(id followID) bool {
	if n := len(t.next); n > 0 {
		return t.next[n-1].id == id
	}
	return t.cur != nil && t.cur.id == id
}

// known returns the file if it is open here. One whose name went and came back is
// read on from where it was left, not again.
func (t *trail) known(id followID) *followed {
	for _, f := range append(slices.Clip(t.next), t.cur) {
		if f != nil && f.id == id {
			return f
		}
	}
	return nil
}

// take leaves the file that is read for the next. One that was begun earlier may
// have been truncated meanwhile: that is no reset of its own.
func (t *trail) take(now time.Time, buf []byte) ResetReason {
	left := t.cur
	t.cur, t.next, t.since = t.next[0], t.next[1:], now
	if _, changed, _ := t.cur.look(buf, 0); changed {
		t.cur.rewind()
	}
	if left == nil {
		return ResetAppeared
	}
	if t.known(left.id) == nil {
		_ = left.file.Close()
	}
	return ResetReplaced
}

// close closes the files.
func (t *trail) close() {
	t.closed = true
	for _, f := range append(t.next, t.cur) {
		if f != nil {
			_ = f.file.Close() // one that is there twice says so
		}
	}
	t.cur, t.next = nil, nil
}
