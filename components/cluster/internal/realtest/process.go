//go:build linux

package realtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// process is one life of a node.
type process struct {
	name   string
	life   int
	cmd    *exec.Cmd
	in     io.WriteCloser
	errors tail
	exited chan struct{} // closed when the process is gone and all it wrote was read
	err    error         // of Wait; read it after exited
	meant  bool          // to be gone
	frozen bool
}

// tail is the end of what a process says to people.
type tail struct {
	sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.Lock()
	defer t.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-20_000):]
	return len(b), nil
}

func (t *tail) String() string {
	t.Lock()
	defer t.Unlock()
	return string(t.text)
}

// launch starts a process, from a thread that lives as long: the system ends it with
// the test, even when it is stopped.
func launch(cmd *exec.Cmd, s Setup, take func(Note), ended func()) (*process, error) {
	setup, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	p := &process{name: s.Name, life: s.Life, cmd: cmd, exited: make(chan struct{})}
	cmd.Env = append(os.Environ(), variable+"="+string(setup), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = &p.errors
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.read(out, take)
			p.err = cmd.Wait()
			close(p.exited)
			ended()
		}
	}()
	return p, <-started
}

// read passes notes on until the process has ended. The last line may be none.
func (p *process) read(out io.Reader, take func(Note)) {
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		var n Note
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			n = Note{What: Unread, Text: line}
		}
		n.Node, n.Life, n.PID = p.name, p.life, p.cmd.Process.Pid
		take(n)
	}
}

// tell has it obey.
func (p *process) tell(words ...string) error {
	_, err := fmt.Fprintln(p.in, strings.Join(words, " "))
	return err
}

func (p *process) signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}
