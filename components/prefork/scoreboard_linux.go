package prefork

import (
	"os"

	"golang.org/x/sys/unix"
)

// sharedFile returns anonymous memory of a fixed size. The seals (fcntl(2),
// F_ADD_SEALS) keep a worker from shrinking it, which would make the master's
// next look at it a SIGBUS.
func sharedFile(size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("usher-scoreboard", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "scoreboard")
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		f.Close()
		return nil, os.NewSyscallError("fcntl", err)
	}
	return f, nil
}
