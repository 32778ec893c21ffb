package kernel

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// maxStacks bounds what is read of a process with very many goroutines.
const maxStacks = 16 << 20

// whereabouts says in which function each of the given goroutines is. It reads
// the stacks of all: nothing else is known of a handler that does not return,
// because noting each event where others may read it would cost every event.
func whereabouts(gids map[uint64]bool) map[uint64]string {
	found := make(map[uint64]string, len(gids))
	for stack := range strings.SplitSeq(allStacks(), "\n\n") {
		var id uint64
		if _, err := fmt.Sscanf(stack, "goroutine %d ", &id); err == nil && gids[id] {
			found[id] = innermost(stack)
		}
	}
	return found
}

// allStacks is the stacks of all goroutines, as the runtime prints them.
func allStacks() string {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) && n < maxStacks {
		buf = make([]byte, 4*n)
		n = runtime.Stack(buf, true)
	}
	return string(buf[:n])
}

// innermost returns the first function of a stack that is not the runtime's or a
// lock's, with its file and line.
func innermost(stack string) string {
	lines := strings.Split(stack, "\n")
	for i := 1; i+1 < len(lines); i += 2 {
		fn := lines[i]
		if strings.HasPrefix(fn, "runtime.") || strings.HasPrefix(fn, "internal/") || strings.HasPrefix(fn, "sync.") || strings.HasPrefix(fn, "syscall.") {
			continue
		}
		if open := strings.LastIndexByte(fn, '('); open > 0 {
			fn = fn[:open]
		}
		file, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
		return path.Base(fn) + " (" + path.Base(file) + ")"
	}
	return ""
}
