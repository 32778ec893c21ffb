package wheel

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
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

	looking sync.Mutex // one goroutine at a time asks the system, or closes the instance
	events  [pollBatch]unix.EpollEvent
	found   [pollBatch]readied
	woken   []*kernel.Source // whom the goroutine has to wake
}

// readied is told what has become of its descriptor, from the poller's goroutine or a
// worker's. It does not block, and wakes sources with wake.
type readied interface {
	ready(events uint32, wake func(*kernel.Source))
}

// slot is what an event's ticket leads to. The descriptor's own number would not
// do: it may have been closed and given to somebody else.
type slot struct {
	d   readied
	gen uint32
}

type ticket struct {
	at  int32
	gen uint32
}

// add begins to watch: at each change of readiness, and now if there is some.
func (p *poller) add(fd int, d readied) (ticket, error) {
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
		Events: unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
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
	kernel.SetLookout(p.lookout)
	go p.run(file, raw)
	return nil
}

// done closes the instance unless somebody came in time.
func (p *poller) done(file *os.File) bool {
	p.looking.Lock()
	defer p.looking.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n > 0 {
		_ = file.SetReadDeadline(time.Time{})
		return false
	}
	p.file = nil
	kernel.SetLookout(nil)
	_ = file.Close()
	return true
}

const pollBatch = 256

func (p *poller) run(file *os.File, raw syscall.RawConn) {
	pprof.SetGoroutineLabels(context.Background()) // it is nobody's in particular
	gather := func(src *kernel.Source) { p.woken = append(p.woken, src) }
	// A look that finds less than it may has found everything: the runtime says when
	// there is more, and need not be asked first.
	look := func(fd uintptr) bool {
		p.looking.Lock()
		defer p.looking.Unlock()
		n := p.look(int(fd), gather)
		kernel.WakeAll(p.woken)
		clear(p.woken)
		p.woken = p.woken[:0]
		return n < 0 || n == pollBatch
	}
	for {
		if err := raw.Read(look); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && !p.done(file) {
				continue
			}
			return
		}
	}
}

// lookout is for workers that have nothing to do: it spares what they find the way
// through the goroutine, and through the queue that they share.
func (p *poller) lookout(wake func(*kernel.Source)) bool {
	if !p.looking.TryLock() {
		return false
	}
	defer p.looking.Unlock()
	p.mu.Lock()
	epfd, open := p.epfd, p.file != nil
	p.mu.Unlock()
	return open && p.look(epfd, wake) > 0
}

// look asks the system what is ready now, and wakes whom it concerns. It is called
// with the lock for looking, under which the instance is closed, too.
func (p *poller) look(epfd int, wake func(*kernel.Source)) (n int) {
	n, err := unix.EpollWait(epfd, p.events[:], 0)
	for err == unix.EINTR {
		n, err = unix.EpollWait(epfd, p.events[:], 0)
	}
	if n <= 0 {
		return n
	}
	p.mu.Lock()
	for i := range n {
		s := &p.slots[p.events[i].Fd]
		if p.found[i] = s.d; s.gen != uint32(p.events[i].Pad) {
			p.found[i] = nil
		}
	}
	p.mu.Unlock()
	for i := range n {
		if d := p.found[i]; d != nil {
			d.ready(p.events[i].Events, wake)
			p.found[i] = nil
		}
	}
	return n
}
