package wheel

import (
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// RunConfig configures a Run. One of Program and Shell is required; an event that
// is left empty is not sent.
type RunConfig struct {
	// Program is the program and its arguments, found as exec.LookPath does.
	Program []string

	// Shell is a command line for /bin/sh -c.
	Shell string

	// Dir is where it runs. Default: here.
	Dir string

	// Env is its environment, "key=value" each. Default nil: this process's.
	Env []string

	// StdoutFilter and StderrFilter turn its output into records, StdinFilter
	// what Put is given into bytes. Default: lines that end with "\n", a filter
	// for each (W62).
	StdoutFilter, StderrFilter, StdinFilter filter.Filter[string, string]

	// StdoutEvent and StderrEvent carry one record. Without one, the process
	// inherits that output from this one (W72).
	StdoutEvent, StderrEvent kernel.Event[string]

	// StdinEvent says that what was Put has drained to empty (W62).
	StdinEvent kernel.Event[struct{}]

	// ErrorEvent carries the failure or the end of one stream, or a record that
	// its filter refused; Error.Stream says which (W63).
	ErrorEvent kernel.Event[*Error]

	// ExitEvent carries how the process ended, once, as soon as it is known: its
	// output may still be on the way.
	ExitEvent kernel.Event[*os.ProcessState]

	// CloseEvent is the last event, after the process has ended and both outputs
	// were closed: nil after exit status 0, else an *exec.ExitError. It does not
	// follow the owner's Close.
	CloseEvent kernel.Event[error]

	// NoStdin gives the process an empty input and no pipe.
	NoStdin bool

	// Credit bounds the bytes of each output that were read and not yet
	// delivered; then the process has to wait. Default 64 KiB.
	Credit int

	// MaxOutput bounds what was Put and is not written yet, in bytes. Default 16 MiB.
	MaxOutput int

	// ExtraFiles become descriptors 3 and up of the process.
	ExtraFiles []*os.File

	// NoSetPgrp leaves the process in this one's group. Default: it leads a group
	// of its own (W69).
	NoSetPgrp bool

	// SysProcAttr is how the operating system starts it; a copy is used.
	SysProcAttr *syscall.SysProcAttr
}

func (cfg *RunConfig) fill() error {
	switch {
	case len(cfg.Program) == 0 && cfg.Shell == "":
		return misconfigured("RunConfig.Program", "is empty; set it, or Shell")
	case len(cfg.Program) > 0 && cfg.Shell != "":
		return misconfigured("RunConfig.Shell", "is set beside Program %q; set one of them", cfg.Program)
	case cfg.Shell != "":
		cfg.Program = []string{"/bin/sh", "-c", cfg.Shell}
	case cfg.Program[0] == "":
		return misconfigured("RunConfig.Program", "begins with an empty name; put the program there")
	}
	if err := fillLimit("RunConfig.Credit", &cfg.Credit, defaultCredit); err != nil {
		return err
	}
	if err := fillLimit("RunConfig.MaxOutput", &cfg.MaxOutput, defaultMaxOutput); err != nil {
		return err
	}
	for _, f := range []*filter.Filter[string, string]{&cfg.StdoutFilter, &cfg.StderrFilter, &cfg.StdinFilter} {
		if *f != nil {
			continue
		}
		line, err := filter.NewLine(filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n"})
		if err != nil {
			return err
		}
		*f = line
	}
	return nil
}

// Run is a child process and its standard streams. Its methods are for the
// handlers of the session that made it; none of them blocks.
type Run struct {
	cfg    RunConfig
	src    *kernel.Source
	keeper *actor.PID
	pid    int
	pgroup bool // it leads a group

	stdout, stderr *tap
	stdin          *os.File // nil with NoStdin
	out            output   // to stdin
	owesStdin      bool     // StdinEvent
	stdinOver      bool
	exitTold       bool

	mu    sync.Mutex
	state *os.ProcessState // set when it has ended
	err   error            // of waiting for it
}

// NewRun starts a process; it is running when NewRun returns (W58). An error
// matches ErrConfig, or is an *Error with Op "start" around what os/exec said
// (unlike W59, W68). Nobody else may wait for the process: its end is ExitEvent,
// not Context.SigChild.
func NewRun(c *kernel.Context, cfg RunConfig) (*Run, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	r := &Run{cfg: cfg}
	cmd, err := r.launch()
	if err != nil {
		return nil, &Error{Op: "start", Err: err}
	}
	r.pid = cmd.Process.Pid
	r.src = c.NewSource("Run", r.turn, r.end)
	for _, t := range []*tap{r.stdout, r.stderr} {
		t.init(r.src, &r.cfg)
	}
	if r.stdin != nil {
		r.out.init(portOf(r.stdin), r.src)
		r.out.max = cfg.MaxOutput
		r.out.port.Notify(func() {}, r.out.ready)
	}
	r.src.Watch(true)
	go r.wait(cmd) // whatever becomes of the wheel, the process is reaped
	k := &keeper{start: r.src.Wake, stop: r.hangUp}
	r.keeper = r.src.Actor(k.produce)
	return r, nil
}

// wait reaps the process.
func (r *Run) wait(cmd *exec.Cmd) {
	err := cmd.Wait()
	r.mu.Lock()
	r.state, r.err = cmd.ProcessState, err
	r.mu.Unlock()
	r.src.Wake()
}

// hangUp closes the pipes.
func (r *Run) hangUp() {
	r.stdout.stop()
	r.stderr.stop()
	if r.stdin != nil {
		r.out.port.leave(false)
		_ = r.stdin.Close()
	}
}

func (r *Run) end() {
	r.hangUp()
	r.src.StopActor(r.keeper)
}

func (r *Run) exited() (*os.ProcessState, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.err
}

// turn tells the owner what happened.
func (r *Run) turn(c *kernel.Context) {
	if !r.stdout.tell(c) || !r.stderr.tell(c) || !r.tellStdin(c) || !r.tellExit(c) {
		return
	}
	if r.exitTold && r.stdout.over && r.stderr.over {
		r.hangUp()
		_, err := r.exited()
		r.src.Deliver(c, string(r.cfg.CloseEvent), err)
		r.src.Close()
	}
}

func (r *Run) tellStdin(c *kernel.Context) bool {
	if r.stdin == nil || r.stdinOver {
		return true
	}
	r.out.flush()
	switch err := r.out.err; {
	case err != nil:
		r.stdinOver = true
		return r.src.Deliver(c, string(r.cfg.ErrorEvent), &Error{Op: "write", Err: err, Wheel: r.ID(), Stream: "STDIN"})
	case r.owesStdin && r.out.unsent() == 0:
		r.owesStdin = false
		r.stdinOver = r.out.over
		return r.src.Deliver(c, string(r.cfg.StdinEvent), struct{}{})
	}
	r.stdinOver = r.out.over
	return true
}

func (r *Run) tellExit(c *kernel.Context) bool {
	state, _ := r.exited()
	if state == nil || r.exitTold {
		return true
	}
	r.exitTold = true
	return r.src.Deliver(c, string(r.cfg.ExitEvent), state)
}
