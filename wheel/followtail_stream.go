package wheel

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stream reads a pipe, socket or terminal when it is ready (W88).
func (t *tail) stream(file *os.File, mode fs.FileMode) {
	t.pipe = mode&fs.ModeNamedPipe != 0
	from, err := readyFile(file)
	ended := make(chan struct{})
	t.stop = func() {
		close(ended)
		_ = from.Close() // ends a read that waits
		_ = file.Close() // says so, if it is the same
	}
	if err != nil {
		t.spool.end(&Error{Op: "open", Err: err})
		return
	}
	go t.spool.copy(from, mode&fs.ModeCharDevice != 0, ended)
}

// copy reads to the end. Its buffer waits for bytes, and is therefore small.
func (s *spool) copy(from *os.File, terminal bool, ended <-chan struct{}) {
	small := make([]byte, plainRead)
	for {
		room := s.room()
		if room <= 0 {
			select {
			case <-s.kick:
				continue
			case <-ended:
				return
			}
		}
		n, err := from.Read(small[:min(room, plainRead)])
		if n > 0 {
			box := readBuffers.Get().(*[]byte)
			s.put(box, copy(*box, small[:n]))
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, os.ErrClosed):
			return
		case terminal && errors.Is(err, syscall.EIO): // hung up; which of the two comes depends on the moment
			err = io.EOF
		}
		s.end(err)
		return
	}
}

// readyFile returns the file, or a duplicate of it that a read can wait for without
// a thread: files that were opened elsewhere, such as the standard input, cannot.
func readyFile(file *os.File) (*os.File, error) {
	if file.SetReadDeadline(time.Time{}) == nil {
		return file, nil
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return file, err
	}
	fd := -1
	if cerr := raw.Control(func(theirs uintptr) {
		if fd, err = unix.FcntlInt(theirs, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	}); cerr != nil {
		err = cerr
	}
	if err != nil {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
		return file, err
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}
