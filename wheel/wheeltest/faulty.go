package wheeltest

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/usher-go/usher/wheel"
)

// Faulty returns a connection that behaves like conn, but for what the script says.
// conn may be of any kind; what Faulty returns is a wheel.Pollable when conn is one,
// and can be half closed when conn can. Closing it closes conn.
func Faulty(conn net.Conn, script ...Fault) net.Conn {
	f := &faulty{Conn: conn, clock: systemClock{}, end: make(chan struct{})}
	for _, fault := range script {
		fault(f)
	}
	f.late = newExpiry(f.clock)
	half, halves := conn.(halfCloser)
	p, polls := conn.(wheel.Pollable)
	switch {
	case polls && halves:
		return struct {
			*tries
			halfCloser
		}{newTries(f, p), half}
	case polls:
		return newTries(f, p)
	case halves:
		return struct {
			*faulty
			halfCloser
		}{f, half}
	}
	return f
}

type halfCloser interface{ CloseWrite() error }

// faulty is a connection with a script, and the face of it that waits.
type faulty struct {
	net.Conn
	clock clock
	delay time.Duration
	late  *expiry       // of a read that waits here and not in Conn
	end   chan struct{} // closed by Close

	mu      sync.Mutex
	in, out lane
	reset   bool
	closed  bool
}

// Read waits for its delay, and in a stall for Close or a deadline.
func (f *faulty) Read(p []byte) (int, error) {
	if f.delay > 0 {
		over := make(chan struct{})
		stop := f.clock.AfterFunc(f.delay, func() { close(over) })
		if err := f.await(over); err != nil {
			stop()
			return 0, err
		}
	}
	n, err := f.read(p, f.Conn.Read)
	if err == wheel.ErrAgain {
		err = f.await(nil)
	}
	return n, err
}

// await waits for something, or for the end of waiting.
func (f *faulty) await(over <-chan struct{}) error {
	select {
	case <-over:
		return nil
	case <-f.end:
		return f.failed("read", net.ErrClosed)
	case <-f.late.passed():
		return f.failed("read", os.ErrDeadlineExceeded)
	}
}

// read is one read from below, as the script lets it be; ErrAgain is a stall, or
// what a below that does not wait says.
func (f *faulty) read(p []byte, below func([]byte) (int, error)) (int, error) {
	n, instead, err := f.next(p)
	if instead {
		return n, err
	}
	n, err = below(p[:n])
	f.mu.Lock()
	f.in.passed += n
	f.mu.Unlock()
	return n, err
}

// next is how much may be read, or what comes instead of it.
func (f *faulty) next(p []byte) (n int, instead bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, true, f.failed("read", net.ErrClosed)
	}
	n, m := f.in.next(len(p))
	switch {
	case m == nil:
		return n, false, nil
	case m.insert != nil:
		return f.in.take(p), true, nil
	case m.stall:
		return 0, true, wheel.ErrAgain
	case m.reset:
		f.abort()
		return 0, true, f.failed("read", syscall.ECONNRESET)
	}
	return 0, true, f.failed("read", m.err)
}

// abort resets what is below, once.
func (f *faulty) abort() {
	if f.reset {
		return
	}
	f.reset = true
	if tcp, ok := f.Conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = f.Conn.Close()
}

// Write writes all of p, in as many turns as the script wants.
func (f *faulty) Write(p []byte) (sent int, err error) {
	for {
		n, err := f.write(p[sent:], f.Conn.Write)
		if sent += n; err != nil || sent == len(p) {
			return sent, err
		}
	}
}

func (f *faulty) write(p []byte, below func([]byte) (int, error)) (int, error) {
	f.mu.Lock()
	n, m := f.out.next(len(p))
	var err error
	switch {
	case f.closed:
		err = net.ErrClosed
	case f.reset:
		err = syscall.ECONNRESET
	case m != nil:
		err = m.err
	}
	f.mu.Unlock()
	if err != nil {
		return 0, f.failed("write", err)
	}
	n, err = below(p[:n])
	f.mu.Lock()
	f.out.passed += n
	f.mu.Unlock()
	return n, err
}

// failed dresses the errors that package net would dress.
func (f *faulty) failed(op string, err error) error {
	switch err.(type) {
	case syscall.Errno:
	default:
		if err != net.ErrClosed && err != os.ErrDeadlineExceeded {
			return err
		}
	}
	return failed(op, op, f.LocalAddr().Network(), f.LocalAddr(), f.RemoteAddr(), err)
}

// Close closes what is below, and ends the waits here.
func (f *faulty) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.failed("close", net.ErrClosed)
	}
	f.closed = true
	f.late.set(never)
	close(f.end)
	if f.reset {
		return nil
	}
	return f.Conn.Close()
}

// SetDeadline is for waits here and below.
func (f *faulty) SetDeadline(t time.Time) error {
	f.late.set(t)
	return f.Conn.SetDeadline(t)
}

// SetReadDeadline is likewise.
func (f *faulty) SetReadDeadline(t time.Time) error {
	f.late.set(t)
	return f.Conn.SetReadDeadline(t)
}
