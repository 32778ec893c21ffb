package wheel

import (
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startAt starts cmd with delta added to the niceness, which the process has from
// its first instruction on. In Linux a niceness belongs to a thread, and a process
// begins with that of the thread that forks it (sched(7)). Only the privileged get
// theirs back when it was raised: other threads end with the goroutine, which they
// do when it has them locked.
func startAt(cmd *exec.Cmd, delta int) error {
	if delta == 0 {
		return cmd.Start()
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		nice := 20 - raw // as the system call returns it
		if err == nil {
			err = unix.Setpriority(unix.PRIO_PROCESS, 0, nice+delta)
		}
		if err != nil {
			runtime.UnlockOSThread()
			started <- &priorityError{err}
			return
		}
		err = cmd.Start()
		if unix.Setpriority(unix.PRIO_PROCESS, 0, nice) == nil {
			runtime.UnlockOSThread()
		}
		started <- err
	}()
	return <-started
}
