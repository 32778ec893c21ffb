//go:build unix

package prefork

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// lifeline is a worker's end of the control socket. Its end is seen by the
// session, too; but in a serial kernel a handler that never returns keeps the
// session from it, and a worker without a master would stay for ever (P86).
type lifeline struct {
	net.Conn
	once sync.Once
	cut  func() // called once when the other end is gone
	mu   sync.Mutex
}

// Write keeps frames whole: the session's wheel writes, and so does the goroutine
// that watches the session.
func (l *lifeline) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Conn.Write(p)
}

func (l *lifeline) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.once.Do(l.cut)
	}
	return n, err
}

// watchMaster ends a process that loses its master before it is ready, wherever
// in main it is or hangs (P86). Later the lifeline tells.
func (b *birthCertificate) watchMaster() {
	fd, err := unix.FcntlInt(uintptr(b.told.control), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return // no control socket: inherit says so
	}
	go func() {
		defer unix.Close(fd)
		for !b.ready.Load() {
			hangup := []unix.PollFd{{Fd: int32(fd)}}
			if _, err := unix.Poll(hangup, 200); err == nil && hangup[0].Revents&unix.POLLHUP != 0 && !b.ready.Load() {
				os.Exit(1)
			}
		}
	}()
}

// backstop ends the process when the session has not.
func backstop() { time.AfterFunc(2*orphanGrace, func() { os.Exit(1) }) }
