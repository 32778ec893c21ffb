//go:build unix

package kernel

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// readiness tells, once for every look, when a descriptor is ready. It waits on a
// duplicate in Go's own poller: no thread, and no lock that a read of the handle
// itself would have to wait for.
type readiness struct {
	file *os.File
	raw  syscall.RawConn
	mode SelectMode
	tell func()
	asks chan struct{}
	once sync.Once
}

func newReadiness(h syscall.Conn, mode SelectMode, tell func()) (*readiness, error) {
	theirs, err := h.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if cerr := theirs.Control(func(orig uintptr) {
		if fd, err = unix.FcntlInt(orig, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	}); cerr != nil {
		err = cerr
	}
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return nil, err
	}
	r := &readiness{file: os.NewFile(uintptr(fd), "select"), mode: mode, tell: tell, asks: make(chan struct{}, 1)}
	if r.raw, err = r.file.SyscallConn(); err != nil {
		r.file.Close()
		return nil, err
	}
	go r.run()
	return r, nil
}

// look asks to be told when the descriptor is ready; it does not block.
func (r *readiness) look() {
	select {
	case r.asks <- struct{}{}:
	default: // asked already
	}
}

func (r *readiness) close() {
	r.once.Do(func() {
		close(r.asks)
		r.file.Close() // ends the wait
	})
}

func (r *readiness) run() {
	wait, events := r.raw.Read, int16(unix.POLLIN|unix.POLLHUP|unix.POLLERR)
	if r.mode == SelectWriting {
		wait, events = r.raw.Write, unix.POLLOUT|unix.POLLHUP|unix.POLLERR
	}
	for range r.asks {
		err := wait(func(fd uintptr) bool { // the poller wakes at edges, so ask for the level
			p := []unix.PollFd{{Fd: int32(fd), Events: events}}
			n, err := unix.Poll(p, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if errors.Is(err, os.ErrClosed) {
			return
		}
		r.tell()
	}
}
