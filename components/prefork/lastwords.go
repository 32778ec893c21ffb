//go:build unix

package prefork

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// wordsKept is how much is kept of the beginning, and as much of the end.
const wordsKept = 1 << 10

// lastWords passes a starting worker's standard error on to the master's, and
// keeps enough of it to say why the worker did not start. When a worker is ready
// it writes to the master's standard error itself (speakUp).
type lastWords struct {
	ended chan struct{} // closed when nobody can write any more

	mu         sync.Mutex
	head, tail []byte
}

// follow reads r until its end, and closes it. to is a bare descriptor: an
// *os.File of standard error would end this process with SIGPIPE when nobody
// reads what it writes.
func follow(r *os.File, to int) *lastWords {
	l := &lastWords{ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		defer r.Close()
		buf := make([]byte, 4<<10)
		for {
			n, err := r.Read(buf)
			l.keep(buf[:n])
			for p := buf[:n]; len(p) > 0; {
				n, err := unix.Write(to, p)
				if err == unix.EINTR || err == unix.EAGAIN {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					break
				}
				p = p[n:]
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

func (l *lastWords) keep(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(p), wordsKept-len(l.head))
	l.head = append(l.head, p[:n]...)
	l.tail = append(l.tail, p[n:]...)
	if over := len(l.tail) - wordsKept; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
}

// wait waits until all was read that a dead worker wrote. Programs that it has
// started may hold the other end for longer.
func (l *lastWords) wait(d time.Duration) {
	select {
	case <-l.ended:
	case <-time.After(d):
	}
}

// explain adds them to an error.
func (l *lastWords) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	said := bytes.TrimSpace(append(append([]byte{}, l.head...), l.tail...))
	if len(l.tail) == wordsKept {
		said = append(append(append([]byte{}, l.head...), "…\n"...), l.tail...)
	}
	if len(said) == 0 {
		return fmt.Errorf("%w; it wrote nothing to standard error", causeOf(err))
	}
	lines := strings.ReplaceAll(strings.ToValidUTF8(string(said), "?"), "\n", "\n\t")
	return fmt.Errorf("%w; it wrote to standard error:\n\t%s", causeOf(err), lines)
}

// speakUp ends the master's listening to this worker's standard error: from here
// on that is the master's own, inherited as fd.
func speakUp(fd int) error {
	if err := unix.Dup2(fd, unix.Stderr); err != nil {
		return fmt.Errorf("%w: standard error: %w; %s", ErrInheritance, err, sameBinary)
	}
	return unix.Close(fd)
}
