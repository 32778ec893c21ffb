package wheel

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (r *Run) ID() kernel.WheelID { return r.src.ID() }

// PID returns the process's ID.
func (r *Run) PID() int { return r.process.Pid }

func (r *Run) alive() bool { return !r.over && !r.src.Closed() }

// Put writes records to the process's input: at once what the pipe takes, the rest
// when it takes more. It never blocks, and queues all of them or, with an error,
// none: one that matches ErrClosed or ErrOutputFull, or the filter's (W66).
func (r *Run) Put(records ...string) error { return PutTo(r, r.cfg.StdinFilter, records...) }

// PutTo is Run.Put for records of another type, with the filter that turns them
// into bytes. A Run may be given records through several filters, one after the
// other.
func PutTo[In, Out any](r *Run, f filter.Filter[In, Out], records ...Out) error {
	if r.stdin == nil || !r.alive() {
		return closedError("Put", nil)
	}
	return encode(f, records, r.put)
}

func (r *Run) put(p []byte) error {
	if err := r.out.put("Put", "RunConfig.MaxOutput", p); err != nil || len(p) == 0 {
		return err
	}
	r.midLine = p[len(p)-1] != '\n'
	r.owesStdin = r.cfg.StdinEvent != ""
	if r.owesStdin && !r.out.pending() {
		r.src.Wake()
	}
	return nil
}

// CloseStdin ends the process's input after what is queued was written (W66 does
// not wait). A terminal's input has no end of its own: it is sent the character
// that means the end, usually ^D, as its user would type it. That works when the
// process reads lines (RunConfig.Cooked, or it sets that mode itself) or looks for
// the character; in raw mode it is one more byte.
func (r *Run) CloseStdin() {
	switch {
	case r.stdin == nil:
	case r.terminal != nil:
		end, err := endOfFile(r.terminal, r.midLine)
		r.typed = len(end)
		r.out.finish(func() error { return err }, end...)
	default:
		r.out.finish(r.stdin.Close)
	}
}

// ExchangeStdin gives Put another filter (W74). What is queued stays as it is.
func (r *Run) ExchangeStdin(f filter.Filter[string, string]) error {
	if f == nil {
		return misconfigured("Run.ExchangeStdin", "was given no filter; give it one")
	}
	r.cfg.StdinFilter = f
	return nil
}

// ExchangeStdout gives that output another filter, event and record type, or
// another event alone, with the filter it has. Bytes that the old filter had not
// parsed go to the new one, and so does all that comes later (W74 forgets it); a
// handler may do this between two records of one read. An output that is paused
// stays so. An error changes nothing: it matches ErrClosed when the output has
// ended, else ErrConfig, as when there was no event for it from the beginning (W73).
func (r *Run) ExchangeStdout(o Output) error { return r.stdout.exchange("Run.ExchangeStdout", o) }

// ExchangeStderr is ExchangeStdout for the other output.
func (r *Run) ExchangeStderr(o Output) error { return r.stderr.exchange("Run.ExchangeStderr", o) }

// PauseStdout stops that output: no further record is delivered, and the process
// has to wait when its pipe is full (W75).
func (r *Run) PauseStdout() { r.stdout.pause(true) }

// ResumeStdout ends PauseStdout.
func (r *Run) ResumeStdout() { r.stdout.pause(false) }

// PauseStderr is PauseStdout for the other output.
func (r *Run) PauseStderr() { r.stderr.pause(true) }

// ResumeStderr ends PauseStderr.
func (r *Run) ResumeStderr() { r.stderr.pause(false) }

// Resize changes the size of the process's terminal; the system tells what runs in
// the foreground by SIGWINCH. An error matches errors.ErrUnsupported when there is
// no terminal, ErrClosed when the wheel has ended.
func (r *Run) Resize(size Winsize) error {
	switch {
	case r.terminal == nil:
		return fmt.Errorf("wheel: Resize: there is no terminal: %w; set RunConfig.Conduit to %q", errors.ErrUnsupported, ConduitPTY)
	case !r.alive():
		return closedError("Resize", nil)
	}
	return resize(r.terminal, size)
}

// Close ends the wheel and closes its pipes; what is unsent is lost, and no further
// event comes (W2). The process is not killed, unless RunConfig.KillOnClose says
// so: it sees the end of its input, and SIGPIPE when it writes. With a terminal the
// system sends it SIGHUP, as when a user hangs up. It is reaped when it ends
// (unlike W65).
func (r *Run) Close() { r.src.Close() }
