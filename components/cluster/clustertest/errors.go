package clustertest

import "errors"

// Errors of Drive, which a call to another node gets, and of the Transport.
var (
	// ErrNothing: a call waits, and nothing can happen any more that could end the
	// wait, or nothing has for an hour. A call needs a deadline, which its done looks at.
	ErrNothing = errors.New("nothing can happen any more; give the call a deadline, and see that no machine on the way waits for itself")
	// ErrCrashed: the machine on which the call waits has crashed.
	ErrCrashed = errors.New("this machine has crashed")
	// ErrLost: the peer cannot be reached, and what was sent to it is lost.
	ErrLost = errors.New("connection lost")
	// ErrGarbage: a peer has sent what is no packet.
	ErrGarbage = errors.New("not a packet")
	// ErrStranger: a peer that is no machine of the world.
	ErrStranger = errors.New("not a machine of this world")
	// ErrStarted: a Transport is started twice, or after Close.
	ErrStarted = errors.New("transport was started before; ask the Machine for another one after Close")
)
