package wheel

import (
	"io"
	"net"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
	"golang.org/x/sys/unix"
)

// descriptor is the port of a socket, pipe or terminal: no goroutine and no buffer
// while it is idle. The poller has it from the first try on that leaves something
// to wait for.
type descriptor struct {
	handle
	tcp    bool        // a read that does not fill its buffer leaves nothing behind …
	behind atomic.Bool // … but perhaps the peer's end, or what follows urgent data
	polled atomic.Bool // the owner sets it; leave may come from a wheel's actor
	at     ticket

	in, out interface {
		wake(wake func(*kernel.Source))
	}
}

var _ port = (*descriptor)(nil)

// descriptorPort returns nil when x is to be used through its own methods.
func descriptorPort(x any) port {
	if c, ok := x.(*leanConn); ok {
		if c.hold() {
			return &descriptor{handle: c, tcp: true}
		}
		if tcp, ok := TCPConn(c); ok {
			x = tcp
		}
	}
	raw := rawConn(x)
	if raw == nil {
		return nil
	}
	d := new(descriptor)
	_, d.tcp = x.(*net.TCPConn)
	socket := d.tcp
	if !d.tcp {
		ok := false
		_ = raw.Control(func(fd uintptr) {
			socket, ok = waitable(int(fd))
			d.tcp = socket && isTCP(int(fd))
		})
		if !ok {
			return nil
		}
	}
	d.handle = newAttempt(raw, socket)
	return d
}

// waitable reports whether a descriptor can be tried and waited for: it does not
// block, and the system knows when it is ready, which it does not of plain files.
func waitable(fd int) (streamSocket, ok bool) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		return false, false
	}
	if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil {
		return kind == unix.SOCK_STREAM, true
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, false
	}
	mode := st.Mode & unix.S_IFMT
	return false, mode == unix.S_IFIFO || mode == unix.S_IFCHR
}

// isTCP is asked because other streams cut a read short where more is there: a unix
// socket does behind a message that brought descriptors (unix(7), SCM_RIGHTS).
func isTCP(fd int) bool {
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && protocol == unix.IPPROTO_TCP
}

func (d *descriptor) tell(in, out *waiter) { d.in, d.out = in, out }

func (d *descriptor) TryRead(p []byte) (int, error) {
	n, err := d.read(p)
	switch {
	case err == nil && n == 0:
		return 0, io.EOF
	case err == nil && n < len(p) && d.tcp && !d.behind.Load():
		err = ErrAgain
	}
	if err == ErrAgain {
		if e := d.poll(); e != nil {
			if n == 0 {
				return 0, e
			}
			err = nil // nobody would tell: the next try says why
		}
	}
	return n, err
}

func (d *descriptor) TryWrite(p []byte) (int, error) {
	n, err := d.write(p)
	if err == ErrAgain {
		if e := d.poll(); e != nil {
			return 0, e
		}
	}
	return n, err
}

// poll puts the descriptor under the poller, unless it is there.
func (d *descriptor) poll() error {
	if d.polled.Load() {
		return nil
	}
	return d.add()
}

func (d *descriptor) add() (err error) {
	if e := d.Control(func(fd uintptr) { d.at, err = polls.add(int(fd), d) }); e != nil {
		err = e
	}
	d.polled.Store(err == nil)
	return err
}

// ready is the poller's call: it wakes whom the events concern. A read stops in front
// of urgent data, which is skipped and not told (tcp(7)), and the next one goes on.
func (d *descriptor) ready(events uint32, wake func(*kernel.Source)) {
	const end = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if events&(unix.EPOLLPRI|end) != 0 {
		d.behind.Store(true)
	}
	if events&(unix.EPOLLIN|unix.EPOLLPRI|end) != 0 {
		d.in.wake(wake)
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		d.out.wake(wake)
	}
}

func (d *descriptor) bound(int) {}

func (d *descriptor) last(f func() error) (bool, error) { return true, f() }

func (d *descriptor) written() (int, bool, error) { return 0, true, nil }

func (d *descriptor) leave(keep bool) []byte {
	if d.polled.Swap(false) {
		if keep {
			_ = d.Control(func(fd uintptr) { polls.take(int(fd)) })
		}
		polls.forget(d.at)
	}
	d.letGo()
	return nil
}
