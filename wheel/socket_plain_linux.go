//go:build !(amd64 || arm64) || race

package wheel

// receive and send are as elsewhere, for the race detector, which follows what package
// syscall does from a write to its read, and for machines with other calls.
func receive(fd uintptr, p []byte) (int, bool, error) { return readFD(fd, p) }

func send(fd uintptr, p []byte) (int, bool, error) { return writeFD(fd, p) }
