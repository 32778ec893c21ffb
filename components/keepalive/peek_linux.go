//go:build (amd64 || arm64) && !race

package keepalive

import (
	"syscall"
	"unsafe"
)

// peek is recv(2), leaving what it sees. It never waits, and so spares the runtime
// the preparations for a call that might: a third of what it costs.
func peek(fd uintptr, p []byte) (n int, err error) {
	r, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}
