package wheel

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// tryAcceptor accepts from a listener in memory, in the owner's turn. What waits,
// waits in the network's backlog.
type tryAcceptor struct {
	listener PollableListener
	src      *kernel.Source
	tls      *handshake

	waits   atomic.Bool // nobody wants in until the listener says so
	paused  bool
	streak  acceptStreak
	trouble *Error
	err     error

	mu      sync.Mutex // for the actor, and for handshakes, which have goroutines
	resting *alarm     // the system is short of something
	secure  []net.Conn
	failed  []*Error
	shaking int
	stopped bool
}

var (
	_ accepts = (*tryAcceptor)(nil)
	_ accepts = (*acceptor)(nil)
)

func newTryAcceptor(l PollableListener, src *kernel.Source, cfg *SocketFactoryConfig) *tryAcceptor {
	a := &tryAcceptor{listener: l, src: src}
	if cfg.TLS != nil {
		a.tls = newHandshake(cfg, tls.Server)
	}
	return a
}

func (a *tryAcceptor) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return
	}
	a.listener.Notify(func() {
		if a.waits.Swap(false) {
			a.src.Wake()
		}
	})
	a.waits.Store(false) // a turn may have been earlier, and nobody was there to be told
	a.src.Wake()
}

func (a *tryAcceptor) take() net.Conn {
	if a.paused {
		return nil
	}
	for a.err == nil && !a.waits.Load() && !a.busy() {
		a.waits.Store(true)
		conn, err := a.listener.TryAccept()
		if err == ErrAgain {
			break
		}
		a.waits.Store(false)
		if err != nil {
			if a.judge(err) {
				continue
			}
			break
		}
		a.streak.over()
		if a.tls == nil {
			return conn
		}
		a.shake(conn)
	}
	return a.shaken()
}

// busy: an alarm, the end of a handshake, or who is told of it, asks for the turn that
// goes on.
func (a *tryAcceptor) busy() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.resting != nil && !a.resting.rung() || a.shaking+len(a.secure)+len(a.failed) >= maxHandshakes
}

// judge reports whether to try again at once.
func (a *tryAcceptor) judge(err error) bool {
	switch acceptPolicy(err) {
	case acceptAgain, acceptExpired:
		return true
	case acceptLater:
		wait, first := a.streak.next()
		if first {
			a.trouble = &Error{Op: "accept", Err: err, Wheel: a.src.ID()}
		}
		a.mu.Lock()
		a.resting = newAlarm(a.src, wait)
		a.mu.Unlock()
	default:
		a.err = err
	}
	return false
}

// shake leaves the kernel's turns: crypto/tls waits.
func (a *tryAcceptor) shake(conn net.Conn) {
	a.mu.Lock()
	a.shaking++
	a.mu.Unlock()
	go func() {
		secure, err := a.tls.do(conn)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.shaking--
		switch {
		case a.stopped && err == nil:
			_ = conn.Close()
		case err == nil:
			a.secure = append(a.secure, secure)
		default:
			a.failed = append(a.failed, &Error{Op: "handshake", Err: err, Wheel: a.src.ID()})
		}
		a.src.Wake()
	}()
}

func (a *tryAcceptor) shaken() net.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.secure) == 0 {
		return nil
	}
	conn := a.secure[0]
	a.secure = a.secure[1:]
	return conn
}

func (a *tryAcceptor) handled() {}

func (a *tryAcceptor) takeTrouble() *Error {
	if e := a.trouble; e != nil {
		a.trouble = nil
		return e
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.failed) == 0 {
		return nil
	}
	e := a.failed[0]
	a.failed = a.failed[1:]
	a.src.Wake() // there may be room for a handshake more
	return e
}

func (a *tryAcceptor) ended() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shaking > 0 || len(a.secure) > 0 || len(a.failed) > 0 {
		return nil
	}
	return a.err
}

func (a *tryAcceptor) pause(on bool) { a.paused = on }

// maxBacklog is what Linux lets wait for a listener by default (listen(2)).
const maxBacklog = 4096

// drain takes what is in the backlog first: those clients are connected. Who connects
// meanwhile is too late, when there are very many.
func (a *tryAcceptor) drain() {
	a.paused = false
	for n := 0; n < maxBacklog && a.err == nil; n++ {
		conn, err := a.listener.TryAccept()
		switch {
		case err == nil && a.tls != nil:
			a.shake(conn)
		case err == nil:
			a.mu.Lock()
			a.secure = append(a.secure, conn)
			a.mu.Unlock()
		case err == ErrAgain || acceptPolicy(err) == acceptClosed:
			a.err = net.ErrClosed
		case acceptPolicy(err) != acceptAgain: // what is left is lost
			a.trouble = &Error{Op: "accept", Err: err, Wheel: a.src.ID()}
			a.err = net.ErrClosed
		}
	}
	if a.err == nil {
		a.err = net.ErrClosed
	}
	_ = a.listener.Close()
	a.src.Wake()
}

func (a *tryAcceptor) stop() {
	a.mu.Lock()
	a.stopped = true
	secure := a.secure
	a.secure = nil
	a.resting.stop()
	a.mu.Unlock()
	a.listener.Notify(nil)
	if a.tls != nil {
		a.tls.cancel()
	}
	_ = a.listener.Close()
	for _, conn := range secure {
		_ = conn.Close()
	}
}
