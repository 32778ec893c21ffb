package wheel

import "net"

// port is what a wheel reads from and writes to: tried in the owner's turn, never
// waited for. There are three kinds: a Pollable's own, a descriptor under the
// process's poller, and for everything else one with goroutines.
type port interface {
	// TryRead and TryWrite are a Pollable's, but that TryRead may return ErrAgain
	// beside what it read, when that was all.
	TryRead(p []byte) (n int, err error)
	TryWrite(p []byte) (n int, err error)

	// tell comes once, before the first try: who is ready when. Either may be nil.
	tell(in, out *waiter)

	// bound limits what is read and not taken yet, in bytes.
	bound(n int)

	// last has f done when what TryWrite took is written, here or, where it
	// could wait, elsewhere; writable is called then, unless done is true.
	last(f func() error) (done bool, err error)

	// written says how much of what TryWrite took is still on its way, whether
	// last's f is done, and what failed. Only a port with goroutines has any.
	written() (behind int, done bool, err error)

	// leave ends the use of the connection, which is closed next, or lives on:
	// then keep is true, and unread is what was read and not taken.
	leave(keep bool) (unread []byte)
}

// portOf makes the port of a connection, or of a pipe's end.
func portOf(x stream) port {
	if p, ok := x.(Pollable); ok {
		return pollable{p}
	}
	if p := descriptorPort(x); p != nil {
		return p
	}
	return newPatient(x)
}

// stream is a net.Conn or an *os.File.
type stream interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
}

var (
	_ stream = net.Conn(nil)
	_ port   = pollable{}
	_ port   = (*patient)(nil)
)

// pollable is the port of a connection in memory.
type pollable struct{ Pollable }

func (p pollable) tell(in, out *waiter) { p.Notify(in.ready, out.ready) }

func (pollable) bound(int) {}

func (p pollable) last(f func() error) (bool, error) { return true, f() }

func (pollable) written() (int, bool, error) { return 0, true, nil }

func (p pollable) leave(bool) []byte {
	p.Notify(nil, nil)
	return nil
}
