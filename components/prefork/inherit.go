//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// birth is what this process was started as. It is read while packages are
// initialised, so that IsChild is right in every init function that imports this
// package, and the variable is gone before anybody can start a process that
// would take itself for a worker.
var birth = readBirth()

type birthCertificate struct {
	child bool
	told  inheritance
	err   error
	taken atomic.Bool
	ready atomic.Bool // the control socket is watched by others
}

func readBirth() *birthCertificate {
	s, set := os.LookupEnv(inheritanceVariable)
	if !set {
		return &birthCertificate{}
	}
	os.Unsetenv(inheritanceVariable)
	b := &birthCertificate{child: true}
	b.told, b.err = parseInheritance(s)
	for _, fd := range b.told.descriptors() {
		unix.CloseOnExec(fd)
	}
	if runtime.GOOS == "linux" {
		// Started through /proc/self/exe, the process would be listed as "exe"
		// (proc_pid_comm(5)). Without the right name it works as well.
		_ = os.WriteFile("/proc/self/comm", []byte(filepath.Base(os.Args[0])), 0)
	}
	if b.err == nil {
		b.watchMaster()
	}
	return b
}

// IsChild tells whether this process is a worker (P23, P52). It is right from
// package initialisation on and never changes.
func IsChild() bool { return birth.child }

// estate is what a worker got from its master.
type estate struct {
	slot       int
	life       uint64
	generation int
	control    net.Conn       // reads EOF when the master is gone (P86)
	listeners  []net.Listener // in the order of Config.Listen; closing one removes no socket file
	board      *scoreboard
	seat       *seat
	stderr     int // the master's, to be used when ready
}

// inherit makes usable what this worker was given, once. It fails with
// ErrInheritance if this is no worker, or one of another pool than name, or if
// it was given another number of listeners than expected.
func inherit(name string, listeners int) (*estate, error) {
	switch {
	case !birth.child:
		return nil, fmt.Errorf("%w: this process is no worker; let a master start it", ErrInheritance)
	case birth.err != nil:
		return nil, birth.err
	case birth.told.name != name:
		return nil, fmt.Errorf("%w: this is a worker of pool %q, not of %q; give each pool its own Config.Name",
			ErrInheritance, birth.told.name, name)
	case len(birth.told.listeners) != listeners:
		return nil, fmt.Errorf("%w: the master passed on %d listeners, Config.Listen has %d; "+
			"let it hold the same addresses in master and worker", ErrInheritance, len(birth.told.listeners), listeners)
	case !birth.taken.CompareAndSwap(false, true):
		return nil, fmt.Errorf("%w: taken before; make one pool of a name", ErrInheritance)
	}
	return birth.told.claim()
}

// claim turns descriptors into what they stand for. It looks before it takes
// one: a number that is not what it should be belongs to somebody else in this
// process, perhaps to the Go runtime.
func (h inheritance) claim() (*estate, error) {
	e := &estate{slot: h.slot, life: h.life, generation: h.generation, stderr: h.stderr}
	if err := e.fill(h); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *estate) fill(h inheritance) error {
	if err := e.claimControl(h.control); err != nil {
		return err
	}
	if err := e.claimBoard(h.scoreboard); err != nil {
		return err
	}
	for _, fd := range h.listeners {
		if err := e.claimListener(fd); err != nil {
			return err
		}
	}
	var err error
	e.seat, err = e.board.seat(h.slot, h.life, os.Getpid())
	return err
}

func (e *estate) claimControl(fd int) error {
	if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_STREAM {
		return wrongDescriptor(fd, "a control socket", err)
	}
	f := os.NewFile(uintptr(fd), "control")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return wrongDescriptor(fd, "a control socket", err)
	}
	e.control = c
	return nil
}

func (e *estate) claimBoard(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return wrongDescriptor(fd, "a scoreboard", err)
	}
	f := os.NewFile(uintptr(fd), "scoreboard")
	b, err := mapScoreboard(f)
	if err != nil {
		f.Close()
		return err
	}
	e.board = b
	return nil
}

func (e *estate) claimListener(fd int) error {
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 {
		return wrongDescriptor(fd, "a listener", err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return wrongDescriptor(fd, "a listener", err)
	}
	e.listeners = append(e.listeners, ln)
	return nil
}

func wrongDescriptor(fd int, want string, cause error) error {
	if cause == nil {
		cause = errors.New("it is something else")
	}
	return fmt.Errorf("%w: descriptor %d is not %s: %w; %s", ErrInheritance, fd, want, cause, sameBinary)
}

// close gives everything back, as far as it was claimed.
func (e *estate) close() {
	if e.control != nil {
		e.control.Close()
	}
	if e.board != nil {
		e.board.close()
	}
	for _, ln := range e.listeners {
		ln.Close()
	}
}
