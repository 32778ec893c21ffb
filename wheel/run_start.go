package wheel

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// launch starts the process, with its streams laid.
func (r *Run) launch() (*exec.Cmd, error) {
	cmd, err := r.cfg.command()
	if err != nil {
		return nil, err
	}
	if cmd.SysProcAttr, err = r.cfg.procAttr(); err != nil {
		return nil, err
	}
	p, err := lay(&r.cfg)
	if err != nil {
		return nil, &Error{Op: "start", Err: err}
	}
	defer p.passed()
	if p.theirs[0] != nil { // a nil *os.File would not be a nil Reader
		cmd.Stdin = p.theirs[0]
	}
	cmd.Stdout, cmd.Stderr = p.theirs[1], p.theirs[2]
	if err := startAt(cmd, r.cfg.Priority); err != nil {
		p.abandon()
		return nil, &Error{Op: "start", Err: r.cfg.blame(err)}
	}
	attr := cmd.SysProcAttr
	r.pgroup = attr.Setsid || attr.Setpgid && attr.Pgid == 0
	r.stdin, r.terminal = p.ours[0], p.terminal
	r.stdout = &tap{file: p.ours[1], records: r.cfg.Stdout.r, stream: "STDOUT"}
	r.stderr = &tap{file: p.ours[2], records: r.cfg.Stderr.r, stream: "STDERR"}
	return cmd, nil
}

// command is W57. A shell's further arguments are its positional parameters, so
// that none of them is taken for shell.
func (cfg *RunConfig) command() (*exec.Cmd, error) {
	var cmd *exec.Cmd
	switch {
	case cfg.Func != "":
		var err error
		cmd, err = programCommand(cfg.Func, cfg.ProgramArgs, cfg.Dir, cfg.Env)
		if err != nil {
			return nil, &Error{Op: "start", Err: err}
		}
		cmd.ExtraFiles = cfg.ExtraFiles
		return cmd, nil
	case cfg.Shell != "" && len(cfg.ProgramArgs) > 0:
		args := append([]string{"-c", cfg.Shell + ` "$@"`, "sh"}, cfg.ProgramArgs...)
		cmd = exec.Command("/bin/sh", args...)
	case cfg.Shell != "":
		cmd = exec.Command("/bin/sh", "-c", cfg.Shell)
	default:
		cmd = exec.Command(cfg.Program[0], cfg.Program[1:]...)
		cmd.Args = append(cmd.Args, cfg.ProgramArgs...)
	}
	cmd.Dir, cmd.Env, cmd.ExtraFiles = cfg.Dir, cfg.Env, cfg.ExtraFiles
	return cmd, nil
}

// procAttr has the process lead a session if it gets a terminal, else a group. One
// that leads a session leads its group by that, and setpgid(2) would fail.
func (cfg *RunConfig) procAttr() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{}
	if cfg.SysProcAttr != nil {
		*attr = *cfg.SysProcAttr
	}
	switch {
	case cfg.Conduit.terminal():
		attr.Setsid, attr.Setctty, attr.Ctty = true, true, 0
		attr.Setpgid = false
	case !cfg.NoSetPgrp && !attr.Setsid:
		attr.Setpgid = true
	}
	if cfg.User == "" && cfg.Group == "" {
		return attr, nil
	}
	if attr.Credential != nil {
		return nil, misconfigured("RunConfig.User", "or Group is set beside SysProcAttr.Credential; set one of them")
	}
	var err error
	attr.Credential, err = credential(cfg.User, cfg.Group)
	return attr, err
}

// blame names the fields that a refusal is likely to be about: the system only
// says that something was not permitted, or is not there.
func (cfg *RunConfig) blame(err error) error {
	var p *priorityError
	switch {
	case errors.As(err, &p):
		return fmt.Errorf("RunConfig.Priority %d: %w; below 0 it needs a privilege", cfg.Priority, err)
	case cfg.missingDir() != nil:
		return fmt.Errorf("RunConfig.Dir: %w; make it, or name another", cfg.missingDir())
	case errors.Is(err, os.ErrPermission) && (cfg.User != "" || cfg.Group != ""):
		return fmt.Errorf("RunConfig.User %q, Group %q: %w; this process needs the privilege to change them", cfg.User, cfg.Group, err)
	}
	return err
}

// missingDir is why the process cannot run in Dir, if that is it.
func (cfg *RunConfig) missingDir() error {
	if cfg.Dir == "" {
		return nil
	}
	info, err := os.Stat(cfg.Dir)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "chdir", Path: cfg.Dir, Err: syscall.ENOTDIR}
	}
	return err
}
