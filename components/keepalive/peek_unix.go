//go:build unix && !(linux && (amd64 || arm64) && !race)

package keepalive

import "syscall"

// peek is recv(2), leaving what it sees, without waiting.
func peek(fd uintptr, p []byte) (n int, err error) {
	n, _, err = syscall.Recvfrom(int(fd), p, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return n, err
}
