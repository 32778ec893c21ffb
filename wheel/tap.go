package wheel

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// tap is one output of a child process.
type tap struct {
	file    *os.File // nil: the output is not ours
	records records
	stream  string

	src    *kernel.Source
	failed kernel.Event[*Error]
	in     input
	paused bool
	lost   bool // the filter cannot go on: the rest is thrown away
	over   bool // it has ended, and the owner knows
}

var _ stage = (*tap)(nil)

func (t *tap) init(src *kernel.Source, cfg *RunConfig) {
	t.src, t.failed = src, cfg.ErrorEvent
	t.over = t.file == nil
}

func (t *tap) bound(credit int) {
	if t.file != nil {
		t.in.credit = credit
		t.in.port.bound(credit)
	}
}

func (t *tap) stop() {
	if t.file != nil {
		t.in.port.leave(false)
		_ = t.file.Close()
	}
}

func (t *tap) pause(on bool) {
	if t.file == nil || t.src.Closed() {
		return
	}
	t.paused = on
	t.in.paused = on
	if !on {
		t.src.Wake()
	}
}

// exchange hands the output over to another filter and event.
func (t *tap) exchange(method string, o Output) error {
	if err := o.check(method); err != nil {
		return err
	}
	switch {
	case t.file == nil:
		return misconfigured(method, "was asked of an output that had no event; give it one when the Run is made")
	case t.over || t.lost || t.src.Closed():
		return closedError(method, nil)
	}
	handOver(o.r.input(), t.records.input())
	t.records = o.r
	t.src.Wake()
	return nil
}

// closed reports whether nobody can write to this output any more.
func (t *tap) closed() bool { return t.over }

func (t *tap) feed(p []byte) { t.records.input().Feed(p) }

// step has the filter replaced, rather than the output given up, by a handler that
// is told that the filter cannot go on.
func (t *tap) step(c *kernel.Context) verdict {
	r := t.records
	v := r.step(c, t)
	if v == lost && t.records != r {
		return done
	}
	return v
}

func (t *tap) current() stage {
	if t.paused || t.lost {
		return nil
	}
	return t
}

// tell delivers what came. False: the owner is to be told nothing more.
func (t *tap) tell(c *kernel.Context) bool {
	if t.over {
		return true
	}
	if t.lost {
		t.over = t.in.discard()
		return true
	}
	switch pump(c, &t.in, t.current) {
	case more:
		t.src.Wake()
	case lost:
		t.lost = true
		t.src.Wake()
	case ended:
		t.over = true
		e := &Error{Op: "read", Err: endOf(t.in.ended()), Wheel: t.src.ID(), Stream: t.stream}
		return t.src.Deliver(c, string(t.failed), e)
	case gone:
		return false
	}
	return true
}

// endOf is why an output ended. A terminal that nobody has open any more says EIO
// on Linux (ptmx(4) leaves it open, W63 notes it); nothing else of ours does.
func endOf(err error) error {
	if errors.Is(err, syscall.EIO) {
		return io.EOF
	}
	return err
}
