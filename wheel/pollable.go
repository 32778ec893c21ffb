package wheel

import (
	"errors"
	"net"
)

// ErrAgain is matched when a Pollable cannot do now what it was asked to try.
var ErrAgain = errors.New("not ready; try again when notified")

// Pollable is a connection that does not need a goroutine to wait for it. Wheels
// use it through these methods alone, so that, over a network in memory, nothing
// happens outside the kernel's turns. wheeltest's connections are of this kind;
// those of the operating system are made so by the wheels themselves.
type Pollable interface {
	net.Conn

	// TryRead is Read without waiting: n > 0, or an error; ErrAgain when there
	// is nothing to read now, io.EOF at the end.
	TryRead(p []byte) (n int, err error)

	// TryWrite is Write without waiting: it may take less than all of p, and
	// returns ErrAgain when it can take nothing now.
	TryWrite(p []byte) (n int, err error)

	// Notify says whom to tell, nil for nobody: after a TryRead that returned
	// ErrAgain, readable is called when another one may return something else;
	// writable likewise. They may be called too often, and from any goroutine;
	// they do not block, and call nothing of the connection. Closing the
	// connection calls nobody.
	Notify(readable, writable func())
}

// PollableListener is to a net.Listener what a Pollable is to a net.Conn.
type PollableListener interface {
	net.Listener

	// TryAccept is Accept without waiting; ErrAgain when nobody wants in.
	TryAccept() (net.Conn, error)

	// Notify says whom to tell, nil for nobody, when after an ErrAgain another
	// TryAccept may return something else.
	Notify(acceptable func())
}

// PollablePacketConn is to a net.PacketConn what a Pollable is to a net.Conn.
type PollablePacketConn interface {
	net.PacketConn

	// TryReadFrom is ReadFrom without waiting; ErrAgain when nothing has come.
	TryReadFrom(p []byte) (n int, from net.Addr, err error)

	// TryWriteTo is WriteTo without waiting; ErrAgain when nothing can be taken.
	TryWriteTo(p []byte, to net.Addr) (n int, err error)

	// Notify is as with Pollable.
	Notify(readable, writable func())
}
