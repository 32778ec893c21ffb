//go:build unix

package prefork

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// handoverVariable says to a process that it takes over from a master.
const handoverVariable = "USHER_PREFORK_MASTER"

// handover is what the next master of a pool is given, in JSON.
type handover struct {
	Version   int              `json:"version"`
	Name      string           `json:"name"` // of the pool
	Control   int              `json:"control"`
	Listeners []passedListener `json:"listeners"`

	taken atomic.Bool
}

// passedListener is a listener that goes from master to master.
type passedListener struct {
	Address string `json:"address"` // as in Config.Listen
	FD      int    `json:"fd"`
}

const handoverVersion = 1

// handedOver is what this process was given. Like birth it is read while packages are
// initialised, so that no program that this one runs takes itself for a successor.
var handedOver = readHandover()

func readHandover() *handover {
	text, set := os.LookupEnv(handoverVariable)
	if !set {
		return nil
	}
	os.Unsetenv(handoverVariable)
	s := &handover{}
	if err := json.Unmarshal([]byte(text), s); err != nil || s.Version != handoverVersion || len(s.Listeners) > maxListeners {
		fmt.Fprintf(os.Stderr, "prefork: %s=%q is of no use; unset that variable, only a master sets it\n", handoverVariable, shorten(text))
		return nil
	}
	unix.CloseOnExec(s.Control)
	for _, l := range s.Listeners {
		unix.CloseOnExec(l.FD)
	}
	return s
}

// inheritedBy returns what a pool inherits, once; nil if it is the first of its line.
func (s *handover) inheritedBy(name string) *handover {
	if s == nil || s.Name != name || !s.taken.CompareAndSwap(false, true) {
		return nil
	}
	return s
}

// open is openAll for a successor: what its predecessor listened on comes from there,
// the rest is opened, and what nobody wants any more is closed.
func (s *handover) open(all []address) ([]*endpoint, error) {
	if s == nil {
		return openAll(all)
	}
	var open []*endpoint
	left := slices.Clone(s.Listeners)
	for _, a := range all {
		var e *endpoint
		var err error
		i := slices.IndexFunc(left, func(h passedListener) bool { return h.Address == a.text })
		if i < 0 {
			e, err = a.open()
		} else {
			e, err = a.receive(left[i].FD)
			left = slices.Delete(left, i, i+1)
		}
		if err != nil {
			for _, e := range open {
				_ = e.close()
			}
			return nil, err
		}
		open = append(open, e)
	}
	for _, h := range left {
		_ = unix.Close(h.FD)
	}
	return open, nil
}

// receive makes an endpoint of an inherited listener. A socket file stays the
// predecessor's to remove until this master takes over.
func (a address) receive(fd int) (*endpoint, error) {
	f := os.NewFile(uintptr(fd), a.text)
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, a.failed(err)
	}
	defer ln.Close()
	e := &endpoint{address: a, addr: ln.Addr(), fd: -1}
	if e.fd, err = duplicate(ln.(syscall.Conn)); err != nil {
		return nil, a.failed(err)
	}
	return e, nil
}

// predecessor is the control socket to the master before this one; nil if it is
// of no use.
func (s *handover) predecessor() net.Conn {
	f := os.NewFile(uintptr(s.Control), "control")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil
	}
	return c
}

// startMaster starts the program on disk as the next master. It is in this
// process's group, as whoever takes over from it should be.
func (s *spawner) startMaster(program *software) (*exec.Cmd, net.Conn, error) {
	control, theirs, err := socketpair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	c := &handover{Version: handoverVersion, Name: s.name, Control: 3}
	files := []*os.File{theirs}
	for _, e := range s.endpoints {
		f, err := e.share()
		if err != nil {
			control.Close()
			return nil, nil, err
		}
		defer f.Close()
		c.Listeners = append(c.Listeners, passedListener{e.text, 3 + len(files)})
		files = append(files, f)
	}
	text, err := json.Marshal(c)
	if err != nil {
		control.Close()
		return nil, nil, err
	}
	// WATCHDOG_PID names this process, and the watchdog will be the other's.
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "WATCHDOG_PID=") })
	cmd := &exec.Cmd{
		Path:       program.path,
		Args:       slices.Clone(os.Args),
		Env:        append(env, handoverVariable+"="+string(text)),
		Stdin:      os.Stdin,
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		ExtraFiles: files,
	}
	if err := cmd.Start(); err != nil {
		control.Close()
		return nil, nil, err
	}
	return cmd, control, nil
}
