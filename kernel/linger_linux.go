package kernel

import "syscall"

// yieldThread is sched_yield(2).
func yieldThread() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
