package wheel

import (
	"errors"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// maxRecords is how many records one turn delivers before other events of the
// session get theirs.
const maxRecords = 64

type feeder interface{ feed(p []byte) }

// stage is a filter with the event its records go to.
type stage interface {
	feeder
	step(c *kernel.Context) verdict
}

type verdict uint8

const (
	dry   verdict = iota // the filter needs more bytes
	done                 // one record was delivered, or refused
	more                 // the turn's share is used up
	ended                // input is over, and everything before its end delivered
	lost                 // the filter cannot go on
	gone                 // the owner closed the wheel, or is ending
)

// pump delivers what was read. current is asked before every record, because the
// last one's handler may have paused the input or changed the filter (W28–W32).
// It returns nil while nothing is to be delivered.
func pump(c *kernel.Context, in *input, current func() stage) verdict {
	for range maxRecords {
		s := current()
		if s == nil {
			return dry
		}
		switch v := s.step(c); v {
		case dry:
			if in.refill(s) {
				continue
			}
			if in.ended() != nil {
				return ended
			}
			return dry
		case lost, gone:
			return v
		}
	}
	return more
}

// told is what a filter's Next has returned.
type told[In any] struct {
	rec In
	ok  bool
	err error
}

func next[In any](rec In, ok bool, err error) told[In] { return told[In]{rec, ok, err} }

// deliver tells the owner of one record, or of one that the filter refused by an
// ErrorEvent. cause is set when the filter is unusable from now on.
func (n told[In]) deliver(c *kernel.Context, src *kernel.Source, event kernel.Event[In], failed kernel.Event[*Error], stream string) (v verdict, cause error) {
	alive := true
	switch {
	case n.err != nil:
		v = done
		e := &Error{Op: "filter", Err: n.err, Wheel: src.ID(), Stream: stream}
		if errors.Is(n.err, filter.ErrUnusable) {
			v, cause = lost, e
		}
		alive = src.Deliver(c, string(failed), e)
	case n.ok:
		v = done
		alive = src.Deliver(c, string(event), n.rec)
	}
	if !alive {
		v = gone
	}
	return v, cause
}
