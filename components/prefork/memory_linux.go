package prefork

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// measuresMemory says whether residentMemory can tell.
const measuresMemory = true

// residentMemory is how many bytes of memory a process uses, by proc_pid_statm(5);
// 0 when the system does not tell. The master asks, not the worker: a worker that
// hangs or lies is measured as well.
func residentMemory(pid int) int64 {
	if pid <= 0 {
		return 0 // no process, or not yet
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
