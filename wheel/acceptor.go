package wheel

import (
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// defaultAhead is how many connections wait for the owner before the rest have
// to wait in the system's backlog.
const defaultAhead = 64

// accepts is where a server's connections come from.
type accepts interface {
	start()
	stop()               // closes the listener, and the connections that nobody took
	take() net.Conn      // the oldest connection; nil when there is none, or a pause
	handled()            // follows take, when the connection's handler has returned
	takeTrouble() *Error // what is to be reported while accepting goes on, once
	ended() error        // why accepting is over, after the last connection was taken
	pause(on bool)
	drain() // closes the listener, and keeps what was accepted
}

// acceptor is a listener and the goroutine that accepts from it.
type acceptor struct {
	listener net.Listener
	ahead    int // how many connections may wait for the owner, and errors of some
	src      *kernel.Source
	tls      *handshake    // nil: plain connections
	quit     chan struct{} // closed by stop

	mu       sync.Mutex
	may      sync.Cond
	accepted []net.Conn
	trouble  []*Error // to be reported; accepting goes on
	shaking  int      // connections whose handshake is not over
	err      error    // why accepting has ended
	started  bool
	handing  bool // a connection is with its handler
	paused   bool
	stopped  bool
}

func newAcceptor(l net.Listener, src *kernel.Source, cfg *SocketFactoryConfig) *acceptor {
	a := &acceptor{listener: l, src: src, ahead: cfg.Ahead, quit: make(chan struct{})}
	a.may.L = &a.mu
	if cfg.TLS != nil {
		a.tls = newHandshake(cfg, tls.Server)
	}
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
			if a.tls == nil {
				a.add(conn)
			} else {
				a.shake(conn)
			}
			continue
		}
		switch acceptPolicy(err) {
		case acceptAgain:
		case acceptExpired:
			a.rearm()
		case acceptLater:
			wait, first := streak.next()
			if first {
				a.report("accept", err)
			}
			a.rest(wait)
		default:
			a.end(err)
			return
		}
	}
}

// shake has the handshake go on beside the next accept.
func (a *acceptor) shake(conn net.Conn) {
	a.mu.Lock()
	a.shaking++
	a.mu.Unlock()
	go func() {
		secure, err := a.tls.do(conn)
		if err == nil {
			a.add(secure)
		} else {
			a.report("handshake", err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.shaking--
		a.may.Signal()
		if a.err != nil && !a.stopped {
			a.src.Wake() // it may have been the last one
		}
	}()
}

// wait blocks until one more may be accepted; false when there is an end.
func (a *acceptor) wait() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.stopped && (a.paused || len(a.accepted)+len(a.trouble) >= max(a.ahead, 1) || a.shaking >= maxHandshakes ||
		a.ahead == 0 && (a.handing || a.shaking > 0)) {
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

func (a *acceptor) report(op string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stopped {
		a.trouble = append(a.trouble, &Error{Op: op, Err: err, Wheel: a.src.ID()})
		a.src.Wake()
	}
}

func (a *acceptor) end(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
	if !a.stopped {
		a.src.Wake()
	}
}

// take returns nil during a pause, unless nothing is accepted ahead.
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

func (a *acceptor) handled() {
	a.mu.Lock()
	a.handing = false
	a.may.Signal()
	a.mu.Unlock()
}

func (a *acceptor) takeTrouble() *Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.trouble) == 0 {
		return nil
	}
	e := a.trouble[0]
	a.trouble = a.trouble[1:]
	a.may.Signal()
	return e
}

func (a *acceptor) ended() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.accepted) > 0 || len(a.trouble) > 0 || a.shaking > 0 {
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

// drain: the goroutine finds the listener closed after it has added its last
// connection.
func (a *acceptor) drain() {
	a.mu.Lock()
	a.paused = false
	a.may.Signal()
	a.mu.Unlock()
	_ = a.listener.Close()
}

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
	if a.tls != nil {
		a.tls.cancel()
	}
	a.may.Broadcast()
	a.mu.Unlock()
	_ = a.listener.Close()
	for _, conn := range accepted {
		_ = conn.Close()
	}
}
