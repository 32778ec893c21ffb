//go:build unix

package prefork

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Descriptors in the worker: os/exec passes ExtraFiles from 3 on.
const (
	controlDescriptor = 3 + iota
	scoreboardDescriptor
	stderrDescriptor
	firstListenerDescriptor
)

// spawner starts workers: this program once more, with descriptors to inherit.
type spawner struct {
	name      string
	board     *scoreboard
	endpoints []*endpoint
	programs  map[int]*software // by generation
	tell      func() string
}

// process is a running worker as its master sees it.
type process struct {
	pid     int
	control net.Conn // reads EOF when the worker is gone; the caller closes it
	handle  *os.Process
	said    *lastWords
	gone    chan struct{} // closed when it was reaped
}

// reaped waits until the process is gone, for at most d.
func (p *process) reaped(d time.Duration) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-p.gone:
		return true
	case <-t.C:
		return false
	}
}

// spawn starts a worker with the master's arguments, environment, directory,
// standard output and standard error, the latter through the master until it is
// ready; its standard input is empty. It blocks until the program is loaded, some
// milliseconds. The error is ErrSpawn.
//
// exited is called once, on a goroutine of its own and possibly before spawn
// returns, when the worker was reaped (P87). Its error says that the system
// could not tell how the worker ended.
//
// The worker leads a process group of its own: a terminal sends its interrupt to
// the master's group, and only the master shall decide what follows from it. No
// parent-death signal is asked for. prctl(2) binds it to the thread that forked,
// and Go ends threads; the control socket's end cannot be missed (P86).
func (s *spawner) spawn(slot int, life uint64, generation int, exited func(*os.ProcessState, error)) (*process, error) {
	p, err := s.start(slot, life, generation, exited)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; raise the limits on processes and open files, "+
			"or set Config.KeepOnError to try again later", ErrSpawn, err)
	}
	return p, nil
}

func (s *spawner) start(slot int, life uint64, generation int, exited func(*os.ProcessState, error)) (*process, error) {
	program := s.programs[generation]
	if program == nil {
		return nil, fmt.Errorf("no program of generation %d", generation)
	}
	control, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	h := inheritance{
		name: s.name, slot: slot, life: life, generation: generation,
		control: controlDescriptor, scoreboard: scoreboardDescriptor, stderr: stderrDescriptor,
	}
	files := []*os.File{theirs, s.board.file, os.Stderr}
	for i, e := range s.endpoints {
		f, err := e.share()
		if err != nil {
			control.Close()
			return nil, err
		}
		defer f.Close()
		files = append(files, f)
		h.listeners = append(h.listeners, firstListenerDescriptor+i)
	}
	hear, speak, err := os.Pipe()
	if err != nil {
		control.Close()
		return nil, err
	}
	defer speak.Close()
	cmd := &exec.Cmd{
		Path:        program.path,
		Args:        slices.Clone(os.Args),
		Env:         s.environ(h),
		Stdout:      os.Stdout,
		Stderr:      speak,
		ExtraFiles:  files,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := cmd.Start(); err != nil {
		control.Close()
		hear.Close()
		return nil, err
	}
	gone, said := make(chan struct{}), follow(hear, int(os.Stderr.Fd()))
	go func() {
		err := cmd.Wait()
		close(gone)
		said.wait(time.Second)
		if cmd.ProcessState != nil { // err then only repeats a status other than 0
			err = nil
		}
		exited(cmd.ProcessState, err)
	}()
	return &process{cmd.Process.Pid, control, cmd.Process, said, gone}, nil
}

// environ is a worker's environment.
func (s *spawner) environ(h inheritance) []string {
	env := append(os.Environ(), inheritanceVariable+"="+h.String())
	if s.tell == nil {
		return env
	}
	return append(env, toldVariable+"="+s.tell())
}

// signal never hits another process that got the same number: after the worker
// was reaped it returns os.ErrProcessDone.
func (p *process) signal(sig syscall.Signal) error { return p.handle.Signal(sig) }

// socketpair returns two ends of a stream: one for use here, one to hand on.
func socketpair() (ours net.Conn, theirs *os.File, err error) {
	// Without SOCK_CLOEXEC, which macOS lacks, a fork in between would leak both.
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	f := os.NewFile(uintptr(fds[0]), "control")
	defer f.Close()
	theirs = os.NewFile(uintptr(fds[1]), "control")
	if ours, err = net.FileConn(f); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}
