package wheel

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fileKeys reads a file that may be somebody else's, too: it takes no more than
// limit bytes at a time, changes nothing about the file, and waits with poll(2),
// because a read(2) that waits could not be called off.
type fileKeys struct {
	file, alarm syscall.RawConn // alarm is the end of a pipe that wakes
	pipe        [2]*os.File
	limit       int
	woken       atomic.Bool

	mu      sync.Mutex
	stopped bool
}

var _ keySource = (*fileKeys)(nil)

func newFileKeys(file syscall.RawConn, limit int) (*fileKeys, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	alarm, err := r.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &fileKeys{file: file, alarm: alarm, pipe: [2]*os.File{r, w}, limit: limit}, nil
}

// read holds both descriptors, so that a Close elsewhere does not hand their
// numbers to other files meanwhile.
func (k *fileKeys) read(p []byte) (n int, err error) {
	p = p[:min(len(p), k.limit)]
	heldErr := k.file.Control(func(file uintptr) {
		alarmErr := k.alarm.Control(func(alarm uintptr) { n, err = k.poll(int(file), int(alarm), p) })
		if alarmErr != nil {
			n, err = 0, nil // stopped
		}
	})
	if heldErr != nil {
		return 0, heldErr
	}
	return n, err
}

func (k *fileKeys) poll(file, alarm int, p []byte) (int, error) {
	fds := []unix.PollFd{{Fd: int32(file), Events: unix.POLLIN}, {Fd: int32(alarm), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, os.NewSyscallError("poll", err)
		case fds[1].Revents != 0:
			k.woken.Store(false)
			_, _ = unix.Read(alarm, make([]byte, 2))
			return 0, nil
		default:
			if n, again, err := k.take(uintptr(file), p); !again {
				return n, err
			}
		}
	}
}

// take reads what poll has seen. Nobody can stop us between the look and the read,
// so that nothing is read after stop.
func (k *fileKeys) take(file uintptr, p []byte) (n int, again bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return 0, false, nil
	}
	n, again, err = readFD(file, p)
	if n == 0 && !again && err == nil {
		err = io.EOF
	}
	return n, again, err
}

func (k *fileKeys) wake() {
	if !k.woken.Swap(true) {
		_, _ = k.pipe[1].Write([]byte{0})
	}
}

func (k *fileKeys) stop() {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.wake()
}

// close follows stop. The reader sees the alarm, or the pipe's end.
func (k *fileKeys) close() {
	_ = k.pipe[1].Close()
	_ = k.pipe[0].Close()
}

// streamKeys reads what is no file. Each Read has a goroutine, which a deadline ends
// early if there is such a thing.
type streamKeys struct {
	r     io.Reader
	alarm chan struct{}
	got   chan chunk
	busy  bool // a Read is on its way
}

type chunk struct {
	p   []byte
	err error
}

var _ keySource = (*streamKeys)(nil)

func newStreamKeys(r io.Reader) *streamKeys {
	return &streamKeys{r: r, alarm: make(chan struct{}, 1), got: make(chan chunk, 1)}
}

func (k *streamKeys) read(p []byte) (int, error) {
	if !k.busy {
		k.busy = true
		size := len(p)
		go func() {
			buf := make([]byte, size)
			n, err := k.r.Read(buf)
			k.got <- chunk{buf[:n], err}
		}()
	}
	select {
	case c := <-k.got:
		k.busy = false
		return copy(p, c.p), c.err
	case <-k.alarm:
		return 0, nil
	}
}

func (k *streamKeys) wake() {
	select {
	case k.alarm <- struct{}{}:
	default:
	}
}

// stop leaves the deadline where it is: who goes on reading the connection sets it.
func (k *streamKeys) stop() {
	if d, ok := k.r.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = d.SetReadDeadline(time.Unix(1, 0))
	}
	k.wake()
}
