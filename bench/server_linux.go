package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is how long a process has had processors so far, 0 when nobody knows.
// A process's clock has nanoseconds, where its rusage may have ticks of 10 ms; how
// its number is made of the process's is in clock_getcpuclockid(3) of the C library.
func processCPU(pid int) time.Duration {
	const scheduled = 2 // user and system time, as the scheduler counts them
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// familyCPU is processCPU of a process with its children, theirs, and so on: those
// that run now.
func familyCPU(pid int) time.Duration {
	sum := processCPU(pid)
	for _, child := range childrenOf(pid) {
		sum += familyCPU(child)
	}
	return sum
}

// residentMemory is what a process has of memory that is no file's (RssAnon):
// buffers of the system do not count.
func residentMemory(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/status", pid)
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kilobytes int64
		if n, _ := fmt.Sscanf(s.Text(), "RssAnon: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, nil
		}
	}
	return 0, fmt.Errorf("%w: %s has no RssAnon; leave the row out", errSample, name)
}
