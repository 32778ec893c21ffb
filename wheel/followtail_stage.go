package wheel

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// tailStage is a FollowTail without its type.
type tailStage interface {
	stage
	complete() bool
	renew(at int64) (rest []byte, err error)
}

var _ tailStage = (*FollowTail[string])(nil)

// lastSaid is a filter that remembers whether it refused what it saw last: bytes
// of that may still come.
type lastSaid[In any] struct {
	InputFilter[In]
	refused bool
}

func (f *lastSaid[In]) Next() (In, bool, error) {
	rec, ok, err := f.InputFilter.Next()
	if ok || err != nil {
		f.refused = err != nil
	}
	return rec, ok, err
}

func (f *FollowTail[In]) feed(p []byte) {
	if len(p) > 0 {
		f.last = p[len(p)-1]
		f.fed += int64(len(p))
		f.filter.Feed(p)
	}
}

func (f *FollowTail[In]) step(c *kernel.Context) verdict {
	v, cause := next(f.filter.Next()).deliver(c, f.tail.src, f.input, f.tail.terms.failed, "")
	if cause != nil {
		f.tail.because(cause)
	}
	return v
}

// skim throws whole records away.
func (f *FollowTail[In]) skim() {
	for {
		_, ok, err := f.filter.Next()
		if !ok && err == nil || errors.Is(err, filter.ErrUnusable) {
			return
		}
	}
}

// complete gives a record that its file left unfinished an end, once a file. True:
// it may come now. What a filter refused and has not seen the end of counts, too:
// it would swallow the next file's first record.
func (f *FollowTail[In]) complete() bool {
	if f.next != nil || f.completed {
		return false
	}
	if len(f.filter.Pending()) == 0 && (!f.filter.refused || f.last == '\n') {
		return false
	}
	f.completed = true
	f.filter.Feed([]byte{'\n'})
	return true
}

// renew readies the filter for another file, read from at on, and returns what is
// left of the one before.
func (f *FollowTail[In]) renew(at int64) (rest []byte, err error) {
	rest = f.filter.Pending()
	f.start, f.fed, f.last = at, 0, 0
	f.completed, f.filter.refused = false, false
	if f.next == nil {
		if len(rest) > 0 {
			return nil, fmt.Errorf("%d bytes of an unfinished record at the end of a file, which a newline does not end; set FollowTailConfig.NextFilter", len(rest))
		}
		return nil, nil
	}
	if f.filter.InputFilter = f.next(); f.filter.InputFilter == nil {
		return nil, misconfigured("FollowTailConfig.NextFilter", "returned nil; return a filter")
	}
	return rest, nil
}
