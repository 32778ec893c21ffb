package wheel

import (
	"os"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// tap is one output of a child process.
type tap struct {
	file   *os.File // nil: the process inherited this output
	filter filter.Filter[string, string]
	event  kernel.Event[string]
	stream string

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
	if t.file == nil {
		t.over = true
		return
	}
	t.in.init(portOf(t.file), src)
	t.in.credit = cfg.Credit
	t.in.port.bound(cfg.Credit)
	t.in.port.Notify(t.in.ready, func() {})
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

// closed reports whether nobody can write to this output any more.
func (t *tap) closed() bool { return t.over }

func (t *tap) feed(p []byte) { t.filter.Feed(p) }

func (t *tap) step(c *kernel.Context) verdict {
	v, _ := step(c, t.src, t.filter, t.event, t.failed, t.stream)
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
		e := &Error{Op: "read", Err: t.in.ended(), Wheel: t.src.ID(), Stream: t.stream}
		return t.src.Deliver(c, string(t.failed), e)
	case gone:
		return false
	}
	return true
}
