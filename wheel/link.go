package wheel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
)

// linger is how long CloseFlushed waits for the peer's end.
const linger = time.Second

// link is a ReadWrite without its types: the connection, its two directions, and
// what the owner is still to be told. Everything here happens in the owner's turn,
// but for what input and output do themselves.
type link struct {
	src   *kernel.Source
	conn  net.Conn
	port  port
	in    input
	out   output
	side  stage // the ReadWrite that decodes; Exchange replaces it
	terms terms

	paused  bool
	closing bool // CloseFlushed: what comes in is thrown away
	shut    bool // the connection is closed, or was released
	inOver  bool // this direction has ended, and the owner knows
	outOver bool
	reason  error // why the wheel ends: the first failure

	high, owesHigh bool // HighMark was reached; the owner has to be told
	owesFlushed    bool

	linger *alarm // CloseFlushed: until then the peer may close its side
	idle   *idle  // nil without IdleTimeout
}

// terms are what a ReadWrite's configuration says to its link.
type terms struct {
	failed                 kernel.Event[*Error]
	closed                 kernel.Event[error]
	flushed, atHigh, atLow kernel.Event[struct{}]
	high, low              int
	credit, maxOutput      int
	reads, halfOpen        bool
	idle                   time.Duration
}

type halfCloser interface{ CloseWrite() error }

func newLink(c *kernel.Context, conn net.Conn) *link {
	l := &link{conn: conn, port: portOf(conn)}
	l.src = c.NewSource("ReadWrite", l.turn, l.hangUp)
	l.in.init(l.port, l.src)
	l.out.init(l.port, l.src)
	l.port.tell(&l.in.waiter, &l.out.waiter)
	return l
}

// attach is also Exchange: what the new filter was fed may hold a whole record,
// and a LowEvent that is owed stays owed if there still are marks.
func (l *link) attach(side stage, t terms) {
	l.side, l.terms = side, t
	l.in.credit, l.out.max = t.credit, t.maxOutput
	l.port.bound(t.credit)
	l.idle = newIdle(l.src, t.idle, l.idle)
	if t.high == 0 {
		l.high, l.owesHigh = false, false
	}
	l.checkHigh()
	l.owesFlushed = l.owesFlushed && t.flushed != ""
	l.in.paused = l.paused || !t.reads
	if t.reads && !l.inOver {
		l.src.Wake()
	}
	l.watch()
}

// watch holds the session exactly while something may come (W11).
func (l *link) watch() {
	if l.shut {
		return
	}
	l.src.Watch(l.terms.reads && !l.inOver || l.closing || l.out.pending())
}

func (l *link) turn(c *kernel.Context) {
	if l.idle.tooLong(l.paused && !l.inOver) {
		l.expire()
	}
	if !l.read(c) || !l.write(c) {
		return
	}
	if l.outOver && (l.inOver || !l.terms.reads && !l.closing) {
		l.finish(c)
		return
	}
	l.idle.touch(&l.in, &l.out)
	l.watch()
}

// current is the stage for the next record, nil when there is to be none.
func (l *link) current() stage {
	if l.paused || l.closing || !l.terms.reads {
		return nil
	}
	return l.side
}

// read delivers input. False: the owner is to be told nothing more now.
func (l *link) read(c *kernel.Context) bool {
	switch {
	case l.inOver:
		return true
	case l.closing:
		l.inOver = l.in.discard() || l.linger.rung()
		return true
	}
	switch pump(c, &l.in, l.current) {
	case more:
		l.src.Wake()
	case ended:
		return l.endOfInput(c, l.in.ended())
	case lost:
		l.closeFlushed()
	case gone:
		return false
	}
	return true
}

// expire ends the direction that silence is the failure of.
func (l *link) expire() {
	if l.terms.reads && !l.inOver && !l.closing {
		l.in.over = os.ErrDeadlineExceeded
	} else if l.out.err == nil && !l.out.over {
		l.out.fail(os.ErrDeadlineExceeded)
	}
}

func (l *link) endOfInput(c *kernel.Context, err error) bool {
	l.inOver = true
	e := &Error{Op: "read", Err: err, Wheel: l.src.ID()}
	orderly := err == io.EOF
	if !orderly {
		l.because(e)
		l.outOver = true // what can still be written arrives nowhere
	}
	if !l.src.Deliver(c, string(l.terms.failed), e) {
		return false
	}
	if orderly && !l.terms.halfOpen {
		l.out.finish(l.closeWrite)
	}
	return true
}

// write tells what became of the output. False: as with read.
func (l *link) write(c *kernel.Context) bool {
	if l.outOver {
		return true
	}
	l.out.flush()
	if err := l.out.err; err != nil {
		l.outOver = true
		if l.closing {
			l.inOver = true
		}
		e := &Error{Op: "write", Err: err, Wheel: l.src.ID()}
		l.because(e)
		return l.src.Deliver(c, string(l.terms.failed), e)
	}
	over := l.out.over
	if !l.tellMarks(c) {
		return false
	}
	// As it was before the marks: a drain after them asks for a turn of its own.
	if l.outOver = over; over {
		l.waitForPeer()
	}
	return true
}

// finish is the wheel's end. The connection is closed when the owner hears of it.
func (l *link) finish(c *kernel.Context) {
	l.hangUp()
	defer l.src.Close() // also when the handler calls runtime.Goexit
	l.src.Deliver(c, string(l.terms.closed), l.reason)
}

// because notes why the wheel will end; the first reason stands.
func (l *link) because(err error) {
	if l.reason == nil {
		l.reason = err
	}
}

// hangUp closes the connection without waiting for anybody, also when the owner
// closes the wheel or its session ends. Where closing would mean talking to the
// peer (TLS), the connection below is closed first.
func (l *link) hangUp() {
	if l.shut {
		return
	}
	l.shut = true
	l.linger.stop()
	l.idle.stop()
	l.port.leave(false)
	if above, ok := l.conn.(interface{ NetConn() net.Conn }); ok {
		_ = above.NetConn().Close()
	}
	_ = l.conn.Close()
}

// put sends or queues what Put encoded.
func (l *link) put(p []byte) error {
	if err := l.out.put("Put", "ReadWriteConfig.MaxOutput", p); err != nil || len(p) == 0 {
		return err
	}
	l.idle.touch(&l.in, &l.out)
	l.checkHigh()
	l.owesFlushed = l.terms.flushed != ""
	if l.out.pending() {
		l.watch()
	} else if l.owesFlushed {
		l.src.Wake()
	}
	return nil
}

func (l *link) pause(on bool) {
	l.paused = on
	l.in.paused = on || !l.terms.reads
	if !on {
		l.idle.begin()
		l.src.Wake()
	}
}

func (l *link) closeFlushed() {
	if l.closing {
		return
	}
	l.closing = true
	if _, ok := l.conn.(halfCloser); !ok {
		l.inOver = true
	}
	if l.outOver {
		l.waitForPeer()
	}
	l.out.finish(l.closeWrite)
	l.watch()
	l.src.Wake()
}

// waitForPeer begins when everything is sent and the wheel is to end.
func (l *link) waitForPeer() {
	if l.closing && l.linger == nil {
		l.linger = newAlarm(l.src, linger)
	}
}

// closeWrite comes after the last byte.
func (l *link) closeWrite() error {
	half, ok := l.conn.(halfCloser)
	if !ok {
		return nil
	}
	err := half.CloseWrite()
	if errors.Is(err, syscall.ENOTCONN) {
		return nil // the peer was faster; everything had been sent
	}
	return err
}

// release takes the connection out of the wheel.
func (l *link) release() ([]byte, error) {
	unsent, err := l.out.unsent(), l.out.err
	if err == nil {
		err = l.in.ended()
	}
	switch {
	case err != nil:
		return nil, &Error{Op: "release", Err: err, Wheel: l.src.ID()}
	case l.closing || l.out.finishing():
		return nil, closedError("Release", l.reason)
	case unsent > 0:
		return nil, fmt.Errorf("wheel: Release: %w: %d bytes; wait for FlushedEvent", ErrUnsent, unsent)
	}
	l.shut = true
	l.idle.stop()
	unread := l.port.leave(true)
	l.src.Close()
	return unread, nil
}
