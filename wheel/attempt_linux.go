package wheel

import "syscall"

// handle tries a descriptor, which is kept from being closed and used anew meanwhile.
type handle interface {
	read(p []byte) (int, error) // ErrAgain: nothing now
	write(p []byte) (int, error)
	Control(f func(fd uintptr)) error
	letGo() // the wheel has done with it
}

// attempt is one call of read(2) or write(2) on a RawConn: with its Control, for its
// Read and Write get ready to wait, which is not to be. It is reused, for the owner's
// turn makes them one after another.
type attempt struct {
	syscall.RawConn
	run    func(fd uintptr)
	socket bool

	io    func(fd uintptr, p []byte) (int, bool, error)
	p     []byte
	n     int
	again bool
	err   error
}

var _ handle = (*attempt)(nil)

func newAttempt(raw syscall.RawConn, socket bool) *attempt {
	a := &attempt{RawConn: raw, socket: socket}
	a.run = func(fd uintptr) { a.n, a.again, a.err = a.io(fd, a.p) }
	return a
}

func (a *attempt) letGo() {}

func (a *attempt) read(p []byte) (int, error) {
	a.p, a.io = p, readFD
	if a.socket {
		a.io = receive
	}
	return a.outcome(a.Control(a.run))
}

func (a *attempt) write(p []byte) (int, error) {
	a.p, a.io = p, writeFD
	if a.socket {
		a.io = send
	}
	return a.outcome(a.Control(a.run))
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
