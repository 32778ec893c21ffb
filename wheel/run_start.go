package wheel

import (
	"os"
	"os/exec"
	"syscall"
)

// launch makes the pipes and starts the process. The pipes are ours and not those
// of exec.Cmd, whose Wait closes them whether they were read or not.
func (r *Run) launch() (cmd *exec.Cmd, err error) {
	cmd = exec.Command(r.cfg.Program[0], r.cfg.Program[1:]...)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = r.cfg.Dir, r.cfg.Env, r.cfg.ExtraFiles
	cmd.SysProcAttr, r.pgroup = r.procAttr()

	var theirs, ours []*os.File
	defer func() {
		closeAll(theirs)
		if err != nil {
			closeAll(ours)
		}
	}()
	pipe := func() (read, write *os.File) {
		if err == nil {
			read, write, err = os.Pipe()
		}
		return read, write
	}
	if !r.cfg.NoStdin {
		read, write := pipe()
		cmd.Stdin, r.stdin = read, write
		theirs, ours = append(theirs, read), append(ours, write)
	}
	output := func(wanted bool, inherited *os.File) (read, write *os.File) {
		if !wanted {
			return nil, inherited
		}
		read, write = pipe()
		theirs, ours = append(theirs, write), append(ours, read)
		return read, write
	}
	stdout, w := output(r.cfg.StdoutEvent != "", os.Stdout)
	cmd.Stdout = w
	stderr, w := output(r.cfg.StderrEvent != "", os.Stderr)
	cmd.Stderr = w
	r.stdout = &tap{file: stdout, filter: r.cfg.StdoutFilter, event: r.cfg.StdoutEvent, stream: "STDOUT"}
	r.stderr = &tap{file: stderr, filter: r.cfg.StderrFilter, event: r.cfg.StderrEvent, stream: "STDERR"}
	if err != nil {
		return nil, err
	}
	return cmd, cmd.Start()
}

// closeAll skips pipes that could not be made.
func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// procAttr has the process lead a group. One that gets a session of its own leads
// its group by that, and setpgid(2) would fail.
func (r *Run) procAttr() (*syscall.SysProcAttr, bool) {
	attr := &syscall.SysProcAttr{}
	if r.cfg.SysProcAttr != nil {
		*attr = *r.cfg.SysProcAttr
	}
	if !r.cfg.NoSetPgrp && !attr.Setsid {
		attr.Setpgid = true
	}
	return attr, attr.Setsid || attr.Setpgid && attr.Pgid == 0
}
