package wheel_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/usher-go/usher/wheel"
)

// memory is one end of a connection in memory: tried by a wheel, waited for by a
// test's goroutine.
type memory struct {
	net.Conn // of a pipe that nobody uses: addresses and deadlines
	in, out  *channel
}

var _ wheel.Pollable = (*memory)(nil)

// channel is one direction. It holds 4 KiB.
type channel struct {
	mu                 sync.Mutex
	changed            sync.Cond
	buf                []byte
	ended, abandoned   bool // by the writer, by the reader
	readable, writable func()
}

func inMemory(t *testing.T) (net.Conn, *peer) {
	a, b := new(channel), new(channel)
	a.changed.L, b.changed.L = &a.mu, &b.mu
	near, far := net.Pipe()
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return &memory{near, a, b}, &peer{&memory{far, b, a}, t}
}

// do uses a channel. f returns whom that concerns, who is told outside the lock.
func (ch *channel) do(f func() (tell func())) {
	ch.mu.Lock()
	tell := f()
	ch.changed.Broadcast()
	ch.mu.Unlock()
	if tell != nil {
		tell()
	}
}

func (m *memory) TryRead(p []byte) (n int, err error) {
	m.in.do(func() func() {
		switch n = copy(p, m.in.buf); {
		case n > 0:
			m.in.buf = m.in.buf[n:]
			return m.in.writable
		case m.in.abandoned:
			err = net.ErrClosed
		case m.in.ended:
			err = io.EOF
		default:
			err = wheel.ErrAgain
		}
		return nil
	})
	return n, err
}

func (m *memory) TryWrite(p []byte) (n int, err error) {
	m.out.do(func() func() {
		switch n = min(len(p), 4096-len(m.out.buf)); {
		case m.out.ended || m.out.abandoned:
			n, err = 0, io.ErrClosedPipe
		case n == 0:
			err = wheel.ErrAgain
		default:
			m.out.buf = append(m.out.buf, p[:n]...)
			return m.out.readable
		}
		return nil
	})
	return n, err
}

func (m *memory) Notify(readable, writable func()) {
	m.in.do(func() func() { m.in.readable = readable; return nil })
	m.out.do(func() func() { m.out.writable = writable; return nil })
}

func (m *memory) CloseWrite() error {
	m.out.do(func() func() { m.out.ended = true; return m.out.readable })
	return nil
}

func (m *memory) Close() error {
	m.in.do(func() func() { m.in.abandoned = true; return m.in.writable })
	return m.CloseWrite()
}

// await calls try until it can do something.
func (ch *channel) await(try func() (int, error)) (int, error) {
	for {
		ch.mu.Lock()
		before := len(ch.buf)
		ch.mu.Unlock()
		n, err := try()
		if err != wheel.ErrAgain {
			return n, err
		}
		ch.mu.Lock()
		for len(ch.buf) == before && !ch.ended && !ch.abandoned {
			ch.changed.Wait()
		}
		ch.mu.Unlock()
	}
}

func (m *memory) Read(p []byte) (int, error) {
	return m.in.await(func() (int, error) { return m.TryRead(p) })
}

func (m *memory) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var some int
		some, err = m.out.await(func() (int, error) { return m.TryWrite(p[n:]) })
		n += some
	}
	return n, err
}
