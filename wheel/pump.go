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

// decoder is the input side of a filter.Filter.
type decoder[In any] interface {
	Next() (rec In, ok bool, err error)
}

// step delivers one record of f, or an ErrorEvent for one it refused. cause is
// set when f is unusable from now on.
func step[In any](c *kernel.Context, src *kernel.Source, f decoder[In], event kernel.Event[In], failed kernel.Event[*Error], stream string) (v verdict, cause error) {
	rec, ok, err := f.Next()
	alive := true
	switch {
	case err != nil:
		v = done
		e := &Error{Op: "filter", Err: err, Wheel: src.ID(), Stream: stream}
		if errors.Is(err, filter.ErrUnusable) {
			v, cause = lost, e
		}
		alive = src.Deliver(c, string(failed), e)
	case ok:
		v = done
		alive = src.Deliver(c, string(event), rec)
	}
	if !alive {
		v = gone
	}
	return v, cause
}
