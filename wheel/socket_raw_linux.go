//go:build (amd64 || arm64) && !race

package wheel

import (
	"syscall"
	"unsafe"
)

// receive and send are recv(2) and send(2) for stream sockets. They wait for
// nothing, whatever the descriptor's flags say, and so spare the runtime the
// preparations for a call that blocks.
func receive(fd uintptr, p []byte) (n int, again bool, err error) {
	return message("read", syscall.SYS_RECVFROM, fd, p, syscall.MSG_DONTWAIT)
}

func send(fd uintptr, p []byte) (n int, again bool, err error) {
	return message("write", syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

func message(op string, call, fd uintptr, p []byte, flags uintptr) (int, bool, error) {
	for {
		n, _, e := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch e {
		case 0:
			return int(n), false, nil
		case syscall.EINTR:
		default:
			return result(op, 0, e)
		}
	}
}
