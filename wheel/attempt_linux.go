package wheel

import "syscall"

// attempt is one call of read(2) or write(2) that keeps the descriptor from being
// closed and used anew meanwhile. RawConn's Control does: its Read and Write get ready
// to wait, which is not to be. It is reused, for the owner's turn makes them one after
// another.
type attempt struct {
	run    func(fd uintptr)
	socket bool

	io    func(fd uintptr, p []byte) (int, bool, error)
	p     []byte
	n     int
	again bool
	err   error
}

func (a *attempt) init(socket bool) {
	a.socket = socket
	a.run = func(fd uintptr) { a.n, a.again, a.err = a.io(fd, a.p) }
}

func (a *attempt) read(raw syscall.RawConn, p []byte) (int, error) {
	a.p, a.io = p, readFD
	if a.socket {
		a.io = receive
	}
	return a.outcome(raw.Control(a.run))
}

func (a *attempt) write(raw syscall.RawConn, p []byte) (int, error) {
	a.p, a.io = p, writeFD
	if a.socket {
		a.io = send
	}
	return a.outcome(raw.Control(a.run))
}

// outcome takes what Control says: that the descriptor is closed.
func (a *attempt) outcome(err error) (int, error) {
	n, again := a.n, a.again
	if err == nil {
		err = a.err
	} else {
		n, again = 0, false
	}
	a.p, a.n, a.again, a.err = nil, 0, false, nil
	if err == nil && again {
		err = ErrAgain
	}
	return n, err
}
