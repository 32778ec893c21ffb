package wheel

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// polls watches the descriptors of all wheels of the process with one epoll
// instance and one goroutine, which itself waits in the runtime's poller. Both
// exist while there is something to watch, and a moment longer.
var polls poller

// pollerLinger spares a server whose connections come one at a time a new
// instance for each.
const pollerLinger = 100 * time.Millisecond

type poller struct {
	mu    sync.Mutex
	epfd  int
	file  *os.File // epfd as the runtime knows it; nil: there is none
	slots []slot
	free  []int32
	n     int // slots in use
}

// slot is what an event's ticket leads to. The descriptor's own number would not
// do: it may have been closed and given to somebody else.
type slot struct {
	d   *descriptor
	gen uint32
}

type ticket struct {
	at  int32
	gen uint32
}

// add begins to watch: at each change of readiness, and now if there is some.
func (p *poller) add(fd int, d *descriptor) (ticket, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		if err := p.open(); err != nil {
			return ticket{}, err
		}
	}
	if len(p.free) == 0 {
		p.slots = append(p.slots, slot{})
		p.free = append(p.free, int32(len(p.slots)-1))
	}
	at := p.free[len(p.free)-1]
	s := &p.slots[at]
	ev := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     at, Pad: int32(s.gen),
	}
	if err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		p.rest()
		return ticket{}, os.NewSyscallError("epoll_ctl", err)
	}
	p.free = p.free[:len(p.free)-1]
	s.d = d
	if p.n++; p.n == 1 {
		_ = p.file.SetReadDeadline(time.Time{})
	}
	return ticket{at, s.gen}, nil
}

// take ends the watch of a descriptor that stays open; closing one does it, too.
func (p *poller) take(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		_ = unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, fd, nil)
	}
}

// forget ends a ticket: what is on its way for it leads nowhere.
func (p *poller) forget(t ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.slots[t.at]
	if s.d == nil || s.gen != t.gen {
		return
	}
	s.d = nil
	s.gen++
	p.free = append(p.free, t.at)
	p.n--
	p.rest()
}

// rest has the goroutine look, in a moment, whether it is still needed.
func (p *poller) rest() {
	if p.n == 0 && p.file != nil {
		_ = p.file.SetReadDeadline(time.Now().Add(pollerLinger))
	}
}

// open is called with the lock.
func (p *poller) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return err
	}
	p.epfd, p.file = fd, file
	go p.run(file, raw)
	return nil
}

// done closes the instance unless somebody came in time.
func (p *poller) done(file *os.File) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n > 0 {
		_ = file.SetReadDeadline(time.Time{})
		return false
	}
	p.file = nil
	_ = file.Close()
	return true
}

const pollBatch = 128

func (p *poller) run(file *os.File, raw syscall.RawConn) {
	pprof.SetGoroutineLabels(context.Background()) // it is nobody's in particular
	var (
		events [pollBatch]unix.EpollEvent
		ready  [pollBatch]*descriptor
		n      int
	)
	look := func(fd uintptr) bool {
		var err error
		for {
			if n, err = unix.EpollWait(int(fd), events[:], 0); err != unix.EINTR {
				return n != 0
			}
		}
	}
	for {
		n = 0
		if err := raw.Read(look); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && !p.done(file) {
				continue
			}
			return
		}
		p.mu.Lock()
		for i := range max(n, 0) {
			s := &p.slots[events[i].Fd]
			if ready[i] = s.d; s.gen != uint32(events[i].Pad) {
				ready[i] = nil
			}
		}
		p.mu.Unlock()
		for i := range max(n, 0) {
			if ready[i] != nil {
				ready[i].ready(events[i].Events)
				ready[i] = nil
			}
		}
	}
}
