package wheel

import (
	"io"

	"github.com/usher-go/usher/kernel"
)

// backlog is how many bytes the terminal has not taken yet.
func (r *ReadLine) backlog() int {
	backlog, _ := r.out.state()
	return backlog
}

// watch holds the session while something may come (W11).
func (r *ReadLine) watch() {
	r.src.Watch(r.get != nil || r.closing || r.backlog() > 0)
}

func (r *ReadLine) turn(c *kernel.Context) {
	backlog, err := r.out.state()
	switch {
	case err != nil:
		r.failed(c, &Error{Op: "write", Err: err, Wheel: r.ID()})
		return
	case r.closing && r.get == nil && backlog == 0:
		r.finish(c)
		return
	}
	r.in.poke()
	if r.get != nil && !r.tell(c) {
		return
	}
	r.watch()
}

// tell deals with the Get that waits. False: the owner is to be told nothing more.
func (r *ReadLine) tell(c *kernel.Context) bool {
	if q := r.get.question(); q != nil {
		alive := r.src.Deliver(c, string(r.cfg.CompleteEvent), q)
		r.get.reply()
		return alive
	}
	answer := r.get.answered()
	switch {
	case answer == nil:
		r.showIdle()
		return true
	case r.closing:
		r.get = nil
		r.leave()
		return true
	}
	r.get = nil
	r.showHeld()
	return r.deliver(c, *answer)
}

// deliver hands out a line. Whoever wants the next one at once keeps raw mode, so
// that no key falls into the gap.
func (r *ReadLine) deliver(c *kernel.Context, answer ReadLineInput) bool {
	e, ended := answer.Err.(*Error)
	switch r.ended = ended; {
	case ended && e.Err == io.EOF:
		answer.Err = io.EOF
	case ended:
		r.reason = e
	}
	if !r.src.Deliver(c, string(r.cfg.InputEvent), answer) {
		return false
	}
	if r.get == nil {
		_ = r.dev.setRaw(false)
	}
	if r.ended && !r.closing {
		r.closing = true
		r.leave()
	}
	return true
}

// failed is for a terminal that takes no output any more.
func (r *ReadLine) failed(c *kernel.Context, e *Error) {
	r.ended = true
	if r.reason == nil {
		r.reason = e
	}
	waiting := r.get != nil && !r.closing
	r.giveUp()
	r.get = nil
	if !waiting || r.src.Deliver(c, string(r.cfg.InputEvent), ReadLineInput{Err: e}) {
		r.finish(c)
	}
}

// giveUp sends the Get's goroutine home.
func (r *ReadLine) giveUp() {
	r.in.giveUp()
	if r.get != nil {
		r.get.giveUp()
	}
}

// leave shows the last of it; the turn after the last byte finishes.
func (r *ReadLine) leave() {
	r.showHeld()
	r.src.Wake()
}

// finish is the wheel's end; the terminal has its mode back when the owner hears of it.
func (r *ReadLine) finish(c *kernel.Context) {
	_ = r.dev.setRaw(false)
	r.src.Deliver(c, string(r.cfg.CloseEvent), r.reason)
	r.src.Close()
}

// end is the source's.
func (r *ReadLine) end() {
	if r.dev == nil {
		return
	}
	if r.idle != nil {
		r.idle.Stop()
	}
	r.giveUp()
	r.out.stop()
	_ = r.dev.setRaw(false)
	r.dev.close()
}
