package wheel

import (
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// defaultAhead is how many connections wait for the owner before the rest have
// to wait in the system's backlog.
const defaultAhead = 64

// acceptor is a listener and the goroutine that accepts from it.
type acceptor struct {
	listener net.Listener
	ahead    int // how many connections may wait for the owner
	src      *kernel.Source
	quit     chan struct{} // closed by stop

	mu       sync.Mutex
	may      sync.Cond
	accepted []net.Conn
	trouble  error // to be reported; accepting goes on
	err      error // why accepting has ended
	started  bool
	handing  bool // a connection is with its handler
	paused   bool
	stopped  bool
}

func newAcceptor(l net.Listener, ahead int) *acceptor {
	a := &acceptor{listener: l, ahead: ahead, quit: make(chan struct{})}
	a.may.L = &a.mu
	return a
}

func (a *acceptor) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.started && !a.stopped {
		a.started = true
		go a.run()
	}
}

func (a *acceptor) run() {
	var streak acceptStreak
	for a.wait() {
		conn, err := a.listener.Accept()
		if err == nil {
			streak.over()
			a.add(conn)
			continue
		}
		switch acceptPolicy(err) {
		case acceptAgain:
		case acceptExpired:
			a.rearm()
		case acceptLater:
			wait, first := streak.next()
			if first {
				a.report(&a.trouble, err)
			}
			a.rest(wait)
		default:
			a.report(&a.err, err)
			return
		}
	}
}

// wait blocks until one more may be accepted; false when there is an end.
func (a *acceptor) wait() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.stopped && (a.paused || len(a.accepted) >= max(a.ahead, 1) || a.ahead == 0 && a.handing) {
		a.may.Wait()
	}
	return !a.stopped
}

// rest is for a system that is short of something.
func (a *acceptor) rest(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.quit:
	}
}

// add keeps a connection for the owner, also one that slipped in during a pause.
func (a *acceptor) add(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		_ = conn.Close()
		return
	}
	a.accepted = append(a.accepted, conn)
	a.src.Wake()
}

func (a *acceptor) report(to *error, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stopped {
		*to = err
		a.src.Wake()
	}
}

// take returns the oldest connection; nil during a pause, unless nothing is
// accepted ahead.
func (a *acceptor) take() net.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paused && a.ahead > 0 || len(a.accepted) == 0 {
		return nil
	}
	conn := a.accepted[0]
	a.accepted[0] = nil
	a.accepted = a.accepted[1:]
	a.handing = true
	if a.ahead > 0 {
		a.may.Signal()
	}
	return conn
}

// handled follows take, when the connection's handler has returned.
func (a *acceptor) handled() {
	a.mu.Lock()
	a.handing = false
	a.may.Signal()
	a.mu.Unlock()
}

// takeTrouble returns what is to be reported, once.
func (a *acceptor) takeTrouble() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.trouble
	a.trouble = nil
	return err
}

// ended returns why accepting is over, after the last connection was taken.
func (a *acceptor) ended() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.accepted) > 0 {
		return nil
	}
	return a.err
}

type deadliner interface{ SetDeadline(time.Time) error }

// pause interrupts an accept that waits, so that clients stay in the system's
// backlog (W50), where the listener has a deadline to do it with.
func (a *acceptor) pause(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paused = on
	a.deadline(on)
	a.may.Signal()
}

// rearm takes a deadline back that nobody needs: it was somebody else's, or a
// pause's that is over.
func (a *acceptor) rearm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.paused {
		a.deadline(false)
	}
}

func (a *acceptor) deadline(past bool) {
	d, ok := a.listener.(deadliner)
	if !ok {
		return
	}
	var at time.Time
	if past {
		at = time.Unix(1, 0)
	}
	_ = d.SetDeadline(at)
}

// drain closes the listener and keeps what was accepted. The goroutine finds the
// listener closed after it has added its last connection.
func (a *acceptor) drain() {
	a.mu.Lock()
	a.paused = false
	a.may.Signal()
	a.mu.Unlock()
	_ = a.listener.Close()
}

// stop closes the listener, and the connections that nobody took.
func (a *acceptor) stop() {
	a.mu.Lock()
	if a.stopped {
		a.mu.Unlock()
		return
	}
	a.stopped = true
	accepted := a.accepted
	a.accepted = nil
	close(a.quit)
	a.may.Broadcast()
	a.mu.Unlock()
	_ = a.listener.Close()
	for _, conn := range accepted {
		_ = conn.Close()
	}
}
