package wheel

import (
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
)

// Run is a child process and its standard streams. Its methods are for the
// handlers of the session that made it; none of them blocks.
type Run struct {
	cfg      RunConfig
	src      *kernel.Source
	keeper   *actor.PID
	process  *os.Process
	pgroup   bool     // it leads a group
	terminal *os.File // stdin and stdout's file, nil for pipes

	stdout, stderr *tap
	stdin          *os.File // nil: its input is not ours
	out            output   // to stdin
	owesStdin      bool     // StdinEvent
	midLine        bool     // what was Put last did not end with a newline
	typed          int      // CloseStdin: the end as a terminal's user would type it
	stdinOver      bool
	exitTold       bool
	over           bool // its end is being told

	mu     sync.Mutex
	ending *ending // nil while it runs
}

// ending is what waiting for a process gave. Without a state the system could not
// tell how it ended.
type ending struct {
	state *os.ProcessState
	err   error
}

// NewRun starts a process; it is running, with its streams in place, when NewRun
// returns (W58). An error matches ErrConfig, or is an *Error with Op "start" around
// what the system said (unlike W59, W68). Nobody else may wait for the process: its
// end is ExitEvent, not Context.SigChild.
func NewRun(c *kernel.Context, cfg RunConfig) (*Run, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	r := &Run{cfg: cfg}
	cmd, err := r.launch()
	if err != nil {
		return nil, err
	}
	r.process = cmd.Process
	r.src = c.NewSource("Run", r.turn, r.end)
	r.connect()
	r.src.Watch(true)
	go r.wait(cmd) // whatever becomes of the wheel, the process is reaped
	k := &keeper{start: r.src.Wake, stop: r.hangUp}
	r.keeper = r.src.Actor(k.produce)
	return r, nil
}

// connect makes the ports. A terminal has one for both directions.
func (r *Run) connect() {
	r.out.src, r.out.max = r.src, r.cfg.MaxOutput
	if r.stdin != nil {
		r.out.port = portOf(r.stdin)
	}
	for _, t := range []*tap{r.stdout, r.stderr} {
		t.init(r.src, &r.cfg)
		switch {
		case t.file == nil:
		case t.file == r.stdin:
			t.in.init(r.out.port, r.src)
			r.out.port.tell(&t.in.waiter, &r.out.waiter)
		default:
			t.in.init(portOf(t.file), r.src)
			t.in.port.tell(&t.in.waiter, nil)
		}
		t.bound(r.cfg.Credit)
	}
	if r.stdin != nil && r.stdin != r.terminal {
		r.out.port.tell(nil, &r.out.waiter)
	}
}

// wait reaps the process.
func (r *Run) wait(cmd *exec.Cmd) {
	err := cmd.Wait()
	r.mu.Lock()
	r.ending = &ending{cmd.ProcessState, err}
	r.mu.Unlock()
	r.src.Wake()
}

// hangUp closes the pipes, or the terminal.
func (r *Run) hangUp() {
	r.stdout.stop()
	r.stderr.stop()
	if r.stdin != nil {
		r.out.port.leave(false)
		_ = r.stdin.Close()
	}
}

func (r *Run) end() {
	if r.cfg.KillOnClose {
		_ = r.kill(os.Kill)
	}
	r.hangUp()
	r.src.StopActor(r.keeper)
}

// ended is nil while the process runs.
func (r *Run) ended() *ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending
}

// turn tells the owner what happened.
func (r *Run) turn(c *kernel.Context) {
	if !r.stdout.tell(c) || !r.stderr.tell(c) || !r.tellStdin(c) || !r.tellExit(c) {
		return
	}
	if r.exitTold && r.stdout.over && r.stderr.over {
		if !r.tellUnsent(c) {
			return
		}
		r.over = true
		r.hangUp()
		defer r.src.Close()
		r.src.Deliver(c, string(r.cfg.CloseEvent), r.ended().err)
	}
}

func (r *Run) tellStdin(c *kernel.Context) bool {
	if r.stdin == nil || r.stdinOver {
		return true
	}
	r.out.flush()
	switch err := r.out.err; {
	case err != nil:
		return r.failStdin(c, err)
	case r.owesStdin && r.out.unsent() == 0:
		r.owesStdin = false
		r.stdinOver = r.out.over
		return r.src.Deliver(c, string(r.cfg.StdinEvent), struct{}{})
	}
	r.stdinOver = r.out.over
	return true
}

// failStdin keeps quiet when nobody was left to read the end that was typed.
func (r *Run) failStdin(c *kernel.Context, err error) bool {
	r.stdinOver = true
	if r.typed > 0 && r.out.lost <= r.typed {
		return true
	}
	return r.src.Deliver(c, string(r.cfg.ErrorEvent), &Error{Op: "write", Err: err, Wheel: r.ID(), Stream: "STDIN"})
}

// tellUnsent is for the end: nobody is left who takes what is queued.
func (r *Run) tellUnsent(c *kernel.Context) bool {
	if r.stdin == nil || r.stdinOver {
		return true
	}
	err := r.out.err
	if err == nil && r.out.unsent() > 0 {
		err = os.NewSyscallError("write", syscall.EPIPE)
		r.out.fail(err)
	}
	return err == nil || r.failStdin(c, err)
}

func (r *Run) tellExit(c *kernel.Context) bool {
	e := r.ended()
	if e == nil || r.exitTold {
		return true
	}
	r.exitTold = true
	if e.state == nil {
		return r.src.Deliver(c, string(r.cfg.ErrorEvent), &Error{Op: "wait", Err: e.err, Wheel: r.ID()})
	}
	return r.src.Deliver(c, string(r.cfg.ExitEvent), e.state)
}
