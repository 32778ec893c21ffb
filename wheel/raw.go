package wheel

import (
	"net"
	"os"
	"syscall"
)

// Descriptor is a connection of another type that a wheel may read and write
// through its descriptor: its own Read and Write do no more than that. The wheel
// uses the RawConn's Control, and waits elsewhere: so the connection's deadlines do
// not count; for a limit on silence there is IdleTimeout.
type Descriptor interface {
	DescriptorConn() (syscall.RawConn, error)
}

// rawConn returns the descriptor behind x, nil when x must be used through its
// own methods. Only the standard library's types are taken: another type's Read
// may do more than read, even when it has a SyscallConn by embedding.
func rawConn(x any) syscall.RawConn {
	var c syscall.Conn
	switch x := x.(type) {
	case *net.TCPConn:
		c = x
	case *net.UnixConn:
		c = x
	case *os.File:
		c = x
	case Descriptor:
		raw, err := x.DescriptorConn()
		if err != nil {
			return nil
		}
		return raw
	default:
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil // closed already: the first read says so
	}
	return raw
}

// readFD is read(2). again means that there is nothing to read now.
func readFD(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return result("read", n, err)
		}
	}
}

// writeFD is write(2). again means that nothing can be taken now.
func writeFD(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = syscall.Write(int(fd), p)
		if err != syscall.EINTR {
			return result("write", n, err)
		}
	}
}

func result(op string, n int, err error) (int, bool, error) {
	switch err {
	case nil:
		return n, false, nil
	case syscall.EAGAIN:
		return 0, true, nil
	}
	return 0, false, os.NewSyscallError(op, err)
}
