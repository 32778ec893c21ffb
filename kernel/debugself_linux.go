package kernel

import (
	"runtime"
	"syscall"
)

// pin tells who runs a handler, for self to compare. A goroutine that is locked
// to its thread is the only one that sees the thread's ID: asking for that costs
// a hundredth of what reading the goroutine's own ID from its stack does.
func pin() uint64 {
	runtime.LockOSThread()
	return self()
}

func unpin() { runtime.UnlockOSThread() }

func self() uint64 { return uint64(syscall.Gettid()) }
