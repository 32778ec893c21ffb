package wheel

import (
	"errors"
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (rw *ReadWrite[In, Out]) ID() kernel.WheelID { return rw.link.src.ID() }

// Conn returns the connection, for its addresses and options. The wheel reads
// it, writes it, sets its deadlines and closes it: that somebody else closed it may
// go unnoticed until the next Put.
func (rw *ReadWrite[In, Out]) Conn() net.Conn { return rw.link.conn }

// alive: neither ended nor exchanged.
func (rw *ReadWrite[In, Out]) alive() bool {
	return rw.link.side == stage(rw) && !rw.link.src.Closed() && !rw.link.shut
}

// Put encodes the records and sends them: at once what the connection takes, the
// rest when it takes more (W20, W21). It never blocks, and queues all of them or,
// with an error, none: one that matches ErrClosed or ErrOutputFull, or the
// filter's. A failed write is no error of Put; it comes as an ErrorEvent.
func (rw *ReadWrite[In, Out]) Put(records ...Out) error {
	l := rw.link
	if !rw.alive() {
		return closedError("Put", l.reason)
	}
	return encode(rw.filter, records, l.put)
}

// encode turns records into bytes, in a buffer that is borrowed for the while.
func encode[In, Out any](f filter.Filter[In, Out], records []Out, put func([]byte) error) error {
	box := scratch.Get().(*[]byte)
	buf := (*box)[:0]
	var err error
	for i := range records {
		if buf, err = f.Append(buf, records[i]); err != nil {
			break
		}
	}
	if err == nil {
		err = put(buf)
	}
	putScratch(box, buf)
	return err
}

// Buffered returns how many bytes of output are not sent yet (W34).
func (rw *ReadWrite[In, Out]) Buffered() int {
	return rw.link.out.unsent()
}

// High reports whether a Put has reached HighMark and LowEvent is still to come.
func (rw *ReadWrite[In, Out]) High() bool { return rw.alive() && rw.link.high }

// PauseInput stops input: no further record is delivered, not even of what was
// read already (unlike W15, W32), and the peer has to wait. Nothing is noticed
// of it meanwhile, not even its end. The wheel still holds its session.
func (rw *ReadWrite[In, Out]) PauseInput() {
	if rw.alive() {
		rw.link.pause(true)
	}
}

// ResumeInput ends PauseInput.
func (rw *ReadWrite[In, Out]) ResumeInput() {
	if rw.alive() {
		rw.link.pause(false)
	}
}

// ShutdownOutput ends the output after what is queued was sent (W33 does not
// wait): the peer sees the end of input, and records still come from it. An error
// matches ErrClosed, or errors.ErrUnsupported when the connection cannot be
// half closed.
func (rw *ReadWrite[In, Out]) ShutdownOutput() error {
	l := rw.link
	if !rw.alive() {
		return closedError("ShutdownOutput", l.reason)
	}
	if _, ok := l.conn.(halfCloser); !ok {
		return fmt.Errorf("wheel: ShutdownOutput: %T cannot be half closed: %w; use CloseFlushed", l.conn, errors.ErrUnsupported)
	}
	if !l.terms.reads {
		l.closeFlushed() // nothing else is left to come
		return nil
	}
	l.out.finish(l.closeWrite)
	l.watch()
	return nil
}

// CloseFlushed ends the wheel in good order: no further record comes, what is
// queued is sent, the connection is closed, and CloseEvent is the last event. A
// peer that takes nothing can hold that up for ever: set a timer that calls
// Close. Where the connection can be half closed, the peer is given a second to
// close its side, because closing on input that was not read would make it lose
// the end of what was sent.
func (rw *ReadWrite[In, Out]) CloseFlushed() {
	if rw.alive() {
		rw.link.closeFlushed()
	}
}

// Close ends the wheel and closes the connection at once. What is unsent is lost,
// and no further event comes (W2).
func (rw *ReadWrite[In, Out]) Close() {
	if rw.link.side == stage(rw) {
		rw.link.src.Close()
	}
}

// Release ends the wheel without closing its connection, and returns it with the
// bytes that were read and not delivered. No further event comes; deadlines are
// reset. With an error the wheel goes on: it matches ErrUnsent while output is
// queued, ErrClosed when the wheel has ended or its output was shut down, and is
// the *Error of a connection that has failed or ended.
func (rw *ReadWrite[In, Out]) Release() (net.Conn, []byte, error) {
	if !rw.alive() {
		return nil, nil, closedError("Release", rw.link.reason)
	}
	unread, err := rw.link.release()
	if err != nil {
		return nil, nil, err
	}
	return rw.link.conn, append(rw.filter.Pending(), unread...), nil
}

// Ender ends a ReadWrite whose record types need not be known.
type Ender interface {
	Release() (net.Conn, []byte, error)
	Close()
}

// Current returns the value that stands for the wheel: rw itself or, after Exchange, the
// newest one. It is for who made a wheel for somebody else, and has to end it.
func (rw *ReadWrite[In, Out]) Current() Ender { return rw.link.side.(Ender) }

var _ Ender = (*ReadWrite[string, string])(nil)
