package wheel

import (
	"fmt"
	"os"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// Kill sends a signal, nil for SIGTERM, to the process and all others in its group
// (W67 spares them), or to the process alone when it leads none; with a terminal
// also to the group in its foreground, which a shell with job control makes for
// each command. It matches os.ErrProcessDone when the process has ended, unless an
// output is still open: then somebody of its group is likely to have it.
func (r *Run) Kill(sig os.Signal) error {
	if sig == nil {
		sig = syscall.SIGTERM
	}
	s, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("wheel: Kill: %w: signal %v is not a syscall.Signal; use one", kernel.ErrArgument, sig)
	}
	if err := r.kill(s); err != nil {
		return fmt.Errorf("wheel: Kill: process %d: %w", r.PID(), err)
	}
	return nil
}

func (r *Run) kill(sig os.Signal) error {
	if !r.pgroup {
		return r.process.Signal(sig)
	}
	if r.ended() != nil && r.stdout.closed() && r.stderr.closed() {
		return os.ErrProcessDone
	}
	front := 0
	if r.terminal != nil {
		front = foreground(r.terminal) // of which the system knows nothing when the leader has ended
	}
	err := killGroup(r.PID(), sig)
	if front > 1 && front != r.PID() {
		if other := killGroup(front, sig); err != nil {
			err = other
		}
	}
	return err
}

func killGroup(leader int, sig os.Signal) error {
	err := syscall.Kill(-leader, sig.(syscall.Signal))
	if err == syscall.ESRCH {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", err)
}
