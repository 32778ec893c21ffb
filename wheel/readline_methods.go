package wheel

import (
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (r *ReadLine) ID() kernel.WheelID { return r.src.ID() }

// History returns the wheel's history.
func (r *ReadLine) History() *History { return r.cfg.History }

// Get shows a prompt and reads one line, which InputEvent brings (W90). While a Get
// waits, another one changes its prompt. Lines before the last of a prompt are
// shown once. An error matches ErrClosed, or ErrReading while a GetPassword waits,
// or is an *Error with Op "start" when the terminal's mode cannot be set.
func (r *ReadLine) Get(prompt string) error { return r.ask("Get", prompt, false) }

// GetPassword is Get without echo, history and completion. From a pipe or a file it
// is Get.
func (r *ReadLine) GetPassword(prompt string) error { return r.ask("GetPassword", prompt, true) }

func (r *ReadLine) ask(method, prompt string, secret bool) error {
	switch {
	case r.src.Closed() || r.closing || r.ended:
		return closedError(method, r.reason)
	case r.get != nil && r.get.secret != secret:
		return fmt.Errorf("wheel: %s: %w; wait for its InputEvent", method, ErrReading)
	case !r.dev.edits:
		prompt = ""
	}
	if r.get == nil {
		if err := r.dev.setRaw(true); err != nil {
			return &Error{Op: "start", Err: err, Wheel: r.ID()}
		}
	}
	above, prompt := cutPrompt(prompt)
	if above != "" {
		r.read.above([]byte(above))
	}
	r.read.setPrompt(prompt)
	if r.get == nil {
		r.in.begin()
		r.get = &reading{secret: secret}
		go r.get.run(r)
		r.watch()
	}
	return nil
}

// cutPrompt leaves the last line to the editor, which can redraw one only.
func cutPrompt(prompt string) (above, last string) {
	i := strings.LastIndexByte(prompt, '\n') + 1
	return prompt[:i], prompt[i:]
}

// Put shows lines, each on lines of its own. While a Get waits it does what PutMode
// says (W92), otherwise it is done at once. The text reaches the terminal as it is:
// strip control characters from what strangers wrote. It never blocks, and takes all
// of the lines or, with an error, none: one that matches ErrClosed or ErrOutputFull.
func (r *ReadLine) Put(lines ...string) error {
	backlog, err := r.out.state()
	if r.src.Closed() || r.closing || err != nil {
		return closedError("Put", r.reason)
	}
	var text []byte
	for _, l := range lines {
		text = append(append(text, l...), '\n')
	}
	if queued := backlog + len(r.held); len(text) > r.cfg.MaxOutput-queued {
		return fmt.Errorf("wheel: Put: %w: %d bytes queued and %d more exceed ReadLineConfig.MaxOutput, %d; put less, or raise it",
			ErrOutputFull, queued, len(text), r.cfg.MaxOutput)
	}
	if r.mustHold() {
		r.held = append(r.held, text...)
		return nil
	}
	r.read.above(text)
	r.watch()
	return nil
}

// SetSize says how large a Terminal is that is no file, in characters. A real
// terminal is asked itself.
func (r *ReadLine) SetSize(width, height int) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("wheel: SetSize: %w: %d by %d; want 1 or more", kernel.ErrArgument, width, height)
	}
	if !r.src.Closed() && r.dev.setSize(width, height) {
		r.read.resize(width, height)
	}
	return nil
}

// CloseFlushed ends the wheel in good order: a Get that waits gets no answer and its
// line is left, what was Put is shown, and CloseEvent is the last event. A terminal
// that takes nothing can hold that up for ever.
func (r *ReadLine) CloseFlushed() {
	if r.src.Closed() || r.closing {
		return
	}
	r.closing = true
	if r.get != nil {
		r.giveUp() // a turn follows when that is done
	} else {
		r.leave()
	}
	r.watch()
}

// Close ends the wheel at once: the terminal has its old mode back when it returns,
// what is not shown yet is lost, and no further event comes (W2). The cursor stays
// where it is.
func (r *ReadLine) Close() { r.src.Close() }
