//go:build !linux

package wheel

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// startAt starts cmd and then adds delta to its niceness.
func startAt(cmd *exec.Cmd, delta int) error {
	if err := cmd.Start(); err != nil || delta == 0 {
		return err
	}
	nice, err := unix.Getpriority(unix.PRIO_PROCESS, cmd.Process.Pid)
	if err == nil {
		err = unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, nice+delta)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return &priorityError{err}
	}
	return nil
}
