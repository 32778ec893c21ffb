package wheel

import (
	"io"
	"os"
	"syscall"
)

// glances is a file of which each ReadAt is one pread(2). That of os.File goes on until
// it meets the end, and what it returns may begin with what the file was and end with
// what somebody has made of it meanwhile (W85).
type glances struct{ *os.File }

func (g glances) ReadAt(p []byte, at int64) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	raw, err := g.SyscallConn()
	if err != nil {
		return 0, err
	}
	if e := raw.Control(func(fd uintptr) { n, err = preadFD(int(fd), p, at) }); e != nil {
		return 0, e
	}
	switch {
	case err != nil:
		return 0, os.NewSyscallError("pread", err)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

// preadFD is pread(2), begun anew where a signal came first.
func preadFD(fd int, p []byte, at int64) (int, error) {
	for {
		n, err := syscall.Pread(fd, p, at)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
