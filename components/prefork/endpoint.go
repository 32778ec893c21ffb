//go:build unix

package prefork

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/components/internal/socketfile"
)

// endpoint is a listener as the master holds it: a bare descriptor that it never
// accepts on (P10). As a net.Listener or an os.File it would stand in the
// master's poller, and every connection that a worker takes would wake the
// master for nothing.
type endpoint struct {
	address
	addr net.Addr
	fd   int
	file fs.FileInfo // of a unix socket
}

// open binds and listens. It blocks while a host name is looked up, and up to a
// second while it asks whether anybody serves an existing socket file. The error
// is a *ListenError.
func (a address) open() (*endpoint, error) {
	if a.network == "systemd" {
		e, err := a.adopt()
		if err != nil {
			return nil, a.failed(err)
		}
		return e, nil
	}
	ln, err := a.listen(net.Listen)
	if err != nil {
		return nil, a.failed(err)
	}
	defer ln.Close()
	e := &endpoint{address: a, addr: ln.Addr(), fd: -1}
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
		if err := e.own(); err != nil {
			os.Remove(a.target)
			return nil, a.failed(err)
		}
	}
	if e.fd, err = duplicate(ln.(syscall.Conn)); err != nil {
		e.close()
		return nil, a.failed(err)
	}
	return e, nil
}

// openAll opens every address or none.
func openAll(all []address) ([]*endpoint, error) {
	var open []*endpoint
	for _, a := range all {
		e, err := a.open()
		if err != nil {
			for _, e := range open {
				e.close()
			}
			return nil, err
		}
		open = append(open, e)
	}
	return open, nil
}

// own remembers which file a new socket is.
func (e *endpoint) own() error {
	info, err := os.Lstat(e.target)
	e.file = info
	return err
}

// share returns a copy of the descriptor for a worker about to be started. The
// caller closes it.
//
// (*net.TCPListener).File would not do: os/exec calls Fd on what it passes on,
// and Fd of such a file makes the socket blocking, for every process that shares
// it. A worker's Accept could then not be interrupted.
func (e *endpoint) share() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(e.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), e.text), nil
}

// close stops listening in this process, and removes the socket file if it is
// still the one that open made (P72).
func (e *endpoint) close() error {
	var err error
	if e.fd >= 0 {
		err = unix.Close(e.fd)
		e.fd = -1
	}
	if e.file != nil {
		if now, lerr := os.Lstat(e.target); lerr == nil && os.SameFile(e.file, now) {
			err = errors.Join(err, os.Remove(e.target))
		}
		e.file = nil
	}
	return err
}

func duplicate(c syscall.Conn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	dup := -1
	if cerr := raw.Control(func(fd uintptr) {
		dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	}); cerr != nil {
		return -1, cerr
	}
	return dup, os.NewSyscallError("fcntl", err)
}

// failed adds what to do about err.
func (a address) failed(err error) error {
	remedy := "check the address and this process's permissions"
	for _, r := range listenRemedies {
		if errors.Is(err, r.err) && (r.network == "" || r.network == a.network) {
			remedy = r.remedy
			break
		}
	}
	return &ListenError{Addr: a.text, Err: err, Remedy: remedy}
}

// listenRemedies follows bind(2) and unix(7).
var listenRemedies = []struct {
	err     error
	network string
	remedy  string
}{
	{errNotPassed, "", "name it in FileDescriptorName= of the socket unit, and start the service by it"},
	{errNotListening, "", "use ListenStream= without Accept=yes in the socket unit"},
	{socketfile.ErrNotSocket, "", "choose another path, or remove the file if nobody needs it"},
	{socketfile.ErrAnswered, "", "stop the program that serves it, or choose another path"},
	{syscall.EADDRINUSE, "", "stop the program that holds it, or choose another address"},
	{syscall.EADDRNOTAVAIL, "", "use an address of this machine"},
	{syscall.EACCES, "tcp", "use a port from 1024 up, or grant CAP_NET_BIND_SERVICE"},
	{syscall.EACCES, "unix", "make the directory writable for this user"},
	{syscall.ENOENT, "unix", "create the directory first"},
	{syscall.EINVAL, "unix", "shorten the path to 103 bytes"},
	{syscall.EMFILE, "", "raise the limit on open files (ulimit -n)"},
}
