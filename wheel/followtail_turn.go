package wheel

import (
	"io"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// tail is a FollowTail without its types: what is read, and what the owner is to be
// told. Everything in this file happens in the owner's turn.
type tail struct {
	src   *kernel.Source
	side  tailStage
	terms tailTerms
	spool spool

	paused bool
	shut   bool
	reason error // why the wheel ends

	stop func() // ends the reading, and closes the files
	pipe bool   // its end is idleness (W89)
	idle atomic.Bool
}

type tailTerms struct {
	failed kernel.Event[*Error]
	closed kernel.Event[error]
	reset  kernel.Event[Reset]
	idle   kernel.Event[struct{}]
}

// resetMark stands in the spool, as its end, where the bytes of one file end and
// those of another begin.
type resetMark struct {
	reason ResetReason
	at     int64
}

func (m *resetMark) Error() string { return string(m.reason) }

func (t *tail) turn(c *kernel.Context) {
	idle := t.idle.Swap(false)
	for range maxRecords {
		if t.paused {
			return
		}
		switch t.side.step(c) {
		case dry:
			if t.spool.refill(t.side) {
				continue
			}
			if t.spool.ended() == nil {
				if idle {
					t.src.Deliver(c, string(t.terms.idle), struct{}{})
				}
				return
			}
			if !t.boundary(c) {
				return
			}
		case lost:
			t.finish(c)
			return
		case gone:
			return
		}
	}
	t.src.Wake() // other events of the session have their turn
}

// boundary is where a file ends. True: there is more to deliver.
func (t *tail) boundary(c *kernel.Context) bool {
	err := t.spool.ended()
	mark, reset := err.(*resetMark)
	if (reset || err == io.EOF) && t.side.complete() {
		return true
	}
	if !reset {
		t.endOfInput(c, err)
		return false
	}
	rest, err := t.side.renew(mark.at)
	if err != nil {
		t.fail(c, &Error{Op: "filter", Err: err, Wheel: t.src.ID()})
		return false
	}
	t.spool.reopen()
	return t.src.Deliver(c, string(t.terms.reset), Reset{Reason: mark.reason, Unfinished: rest})
}

func (t *tail) endOfInput(c *kernel.Context, err error) {
	e, ok := err.(*Error)
	if !ok {
		e = &Error{Op: "read", Err: err}
	}
	e.Wheel = t.src.ID()
	switch {
	case err != io.EOF:
		t.fail(c, e)
	case t.pipe:
		if t.src.Deliver(c, string(t.terms.idle), struct{}{}) {
			t.finish(c)
		}
	default:
		if t.src.Deliver(c, string(t.terms.failed), e) {
			t.finish(c)
		}
	}
}

func (t *tail) fail(c *kernel.Context, e *Error) {
	t.because(e)
	if t.src.Deliver(c, string(t.terms.failed), e) {
		t.finish(c)
	}
}

func (t *tail) because(err error) { t.reason = err }

// finish is the wheel's end. Its files are closed when the owner hears of it.
func (t *tail) finish(c *kernel.Context) {
	t.hangUp()
	t.src.Deliver(c, string(t.terms.closed), t.reason)
	t.src.Close()
}

func (t *tail) hangUp() {
	if !t.shut {
		t.shut = true
		t.stop()
	}
}

func (t *tail) pause(on bool) {
	if t.src.Closed() || t.shut {
		return
	}
	t.paused = on
	t.spool.pause(on)
	if !on {
		t.src.Wake()
	}
}
