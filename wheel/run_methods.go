package wheel

import (
	"fmt"
	"os"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (r *Run) ID() kernel.WheelID { return r.src.ID() }

// PID returns the process's ID.
func (r *Run) PID() int { return r.pid }

// Put writes records to the process's input: at once what the pipe takes, the rest
// when it takes more. It never blocks, and queues all of them or, with an error,
// none: one that matches ErrClosed or ErrOutputFull, or the filter's (W66).
func (r *Run) Put(records ...string) error {
	if r.stdin == nil || r.src.Closed() {
		return closedError("Put", nil)
	}
	return encode(r.cfg.StdinFilter, records, r.put)
}

func (r *Run) put(p []byte) error {
	if err := r.out.put("Put", "RunConfig.MaxOutput", p); err != nil || len(p) == 0 {
		return err
	}
	r.owesStdin = r.cfg.StdinEvent != ""
	if r.owesStdin && !r.out.pending() {
		r.src.Wake()
	}
	return nil
}

// CloseStdin ends the process's input after what is queued was written (W66 does
// not wait).
func (r *Run) CloseStdin() {
	if r.stdin != nil {
		r.out.finish(r.stdin.Close)
	}
}

// PauseStdout stops that output: no further record is delivered, and the process
// has to wait when its pipe is full (W75).
func (r *Run) PauseStdout() { r.stdout.pause(true) }

// ResumeStdout ends PauseStdout.
func (r *Run) ResumeStdout() { r.stdout.pause(false) }

// PauseStderr is PauseStdout for the other output.
func (r *Run) PauseStderr() { r.stderr.pause(true) }

// ResumeStderr ends PauseStderr.
func (r *Run) ResumeStderr() { r.stderr.pause(false) }

// Kill sends a signal, nil for SIGTERM, to the process and all others in its group
// (W67 spares them), or to the process alone when it leads none. It matches
// os.ErrProcessDone when the process has ended, unless an output is still open:
// then somebody of its group is likely to have it.
func (r *Run) Kill(sig os.Signal) error {
	if sig == nil {
		sig = syscall.SIGTERM
	}
	s, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("wheel: Kill: %w: signal %v is not a syscall.Signal; use one", kernel.ErrArgument, sig)
	}
	target := r.pid
	if r.pgroup {
		target = -r.pid
	}
	state, _ := r.exited()
	if state != nil && (!r.pgroup || r.stdout.closed() && r.stderr.closed()) {
		return fmt.Errorf("wheel: Kill: process %d: %w", r.pid, os.ErrProcessDone)
	}
	switch err := syscall.Kill(target, s); err {
	case nil:
		return nil
	case syscall.ESRCH:
		return fmt.Errorf("wheel: Kill: process %d: %w", r.pid, os.ErrProcessDone)
	default:
		return fmt.Errorf("wheel: Kill: process %d: %w", r.pid, os.NewSyscallError("kill", err))
	}
}

// Close ends the wheel and closes its pipes; what is unsent is lost, and no further
// event comes (W2). The process is not killed: it sees the end of its input, and
// SIGPIPE when it writes. It is reaped when it ends (unlike W65).
func (r *Run) Close() { r.src.Close() }
