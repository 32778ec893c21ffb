package kernel

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID is the number that stack traces show. It costs microseconds, the
// more the deeper the stack; self is for questions of identity.
func goroutineID() uint64 {
	var buf [64]byte
	b := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	if i := bytes.IndexByte(b, ' '); i > 0 {
		b = b[:i]
	}
	id, _ := strconv.ParseUint(string(b), 10, 64)
	return id
}
