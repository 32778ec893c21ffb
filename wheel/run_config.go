package wheel

import (
	"os"
	"syscall"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// RunConfig configures a Run. One of Program, Shell and Func is required; an event
// that is left empty is not sent.
type RunConfig struct {
	// Program is the program and its arguments, found as exec.LookPath does.
	Program []string

	// Shell is a command line for /bin/sh -c.
	Shell string

	// Func names a function that [Program] has registered. It runs in a fresh
	// copy of this program, not in a fork of this process (W57, W68).
	Func string

	// ProgramArgs are more arguments, behind those of Program; behind the
	// command line of Shell, each as one word; or those of Func (W57).
	ProgramArgs []string

	// Dir is where it runs. Default: here.
	Dir string

	// Env is its environment, "key=value" each. Default nil: this process's.
	Env []string

	// Conduit is what its standard streams are: pipes by default, or a terminal (W60).
	Conduit Conduit

	// Winsize is the size of its terminal, at first. Default: 0 by 0, the system's.
	Winsize Winsize

	// Cooked leaves its terminal as the system makes it: it echoes input, takes
	// it line by line (4095 bytes at most), turns ^C into a signal and "\n" of
	// the output into "\r\n". Default false: raw, bytes pass unchanged (W61).
	Cooked bool

	// StdoutEvent and StderrEvent carry one record. Without one, the process
	// inherits that output from this one (W72); a terminal needs StdoutEvent,
	// and has no Stderr unless Conduit is ConduitPTYPipe.
	StdoutEvent, StderrEvent kernel.Event[string]

	// StdinEvent says that what was Put has drained to empty (W62).
	StdinEvent kernel.Event[struct{}]

	// StdoutFilter and StderrFilter turn its output into records, StdinFilter
	// what Put is given into bytes. Default: lines that end with "\n", a filter
	// for each (W62).
	StdoutFilter, StderrFilter, StdinFilter filter.Filter[string, string]

	// Stdout and Stderr, made by [Decode], stand for a filter and an event of
	// any record type, instead of the fields above. See [PutTo] for its input.
	Stdout, Stderr Output

	// ErrorEvent carries the failure or the end of one stream, or a record that
	// its filter refused; Error.Stream says which (W63). A terminal's end is
	// io.EOF, too, whatever the system calls it. What is still queued for the
	// process when it has ended is a write error, once.
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

	// RedirectStdin, RedirectStdout and RedirectStderr connect a stream to a file
	// instead; RedirectOutput connects both outputs to one (W71). A stream has
	// an event or a redirect, and a terminal has no redirects.
	RedirectStdin, RedirectStdout, RedirectStderr, RedirectOutput Redirect

	// Credit bounds the bytes of each output that were read and not yet
	// delivered; then the process has to wait. Default 64 KiB.
	Credit int

	// MaxOutput bounds what was Put and is not written yet, in bytes. Default 16 MiB.
	MaxOutput int

	// ExtraFiles become descriptors 3 and up of the process.
	ExtraFiles []*os.File

	// User and Group are whom it runs as, by name or number. The supplementary
	// groups are dropped, then the group is set, then the user. Default: as this
	// process; with User alone, that user's own group (unlike W70). Names are
	// looked up as os/user does, which may block.
	User, Group string

	// Priority is added to this process's niceness: over 0 is nicer to others (W70).
	Priority int

	// NoSetPgrp leaves the process in this one's group. Default: it leads a group
	// of its own, or with a terminal a session of its own in any case (W69).
	NoSetPgrp bool

	// KillOnClose has the owner's Close, and the end of the session, send SIGKILL
	// as Kill does. Default false: the process is left alone (W65).
	KillOnClose bool

	// SysProcAttr is how the operating system starts it; a copy is used, and the
	// fields above decide where both speak. Pdeathsig beside Priority may come
	// at once: it follows the end of a thread.
	SysProcAttr *syscall.SysProcAttr
}

// Conduit is what connects a process's standard streams with its Run.
type Conduit string

const (
	// ConduitPipe is a pipe for each stream; so is "".
	ConduitPipe Conduit = "pipe"

	// ConduitPTY is a terminal, which leads a session of the process's own.
	// Output and error are one, and come as Stdout.
	ConduitPTY Conduit = "pty"

	// ConduitPTYPipe is the same with a pipe for the error output.
	ConduitPTYPipe Conduit = "pty-pipe"
)

func (c Conduit) terminal() bool { return c == ConduitPTY || c == ConduitPTYPipe }

// Redirect is a file that a stream of a process leads to, by name or open; the
// zero value is none. A file that is written by name is created, and emptied if it
// is there. An open one stays the caller's, who may close it when NewRun has
// returned.
type Redirect struct {
	Name string
	File *os.File
}

func (r Redirect) set() bool { return r != Redirect{} }
