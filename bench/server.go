package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Server is what a Load is for: it runs in a process of its own, so that nothing
// of the load is measured with it. One of the two is set.
type Server struct {
	// Serve listens on a loopback address, says where, and serves until its
	// process ends, or returns why it cannot.
	Serve func(at func(addr fmt.Stringer)) error

	// Program is one that is not ours to compile. It prints where it listens,
	// answers every line of standard input with one, when it has tidied its memory,
	// and ends when standard input does.
	Program func() *exec.Cmd

	// MostConns limits the row with idle connections, for servers that look at all
	// of them whenever one has something: 0 for any number.
	MostConns int
}

// Load does a row's task to a running server. The Runner that it returns is used
// for all runs of a sample; hangUp is called after the last.
type Load func(s *server) (run Runner, hangUp func(), err error)

// loaded starts a server and prepares the load. A profile is the server's.
func loaded(load Load, peer Server, spec, profile string) (run Runner, stop func() error, err error) {
	raiseFileLimit()
	s, err := start(peer, spec, profile)
	if err != nil {
		return nil, nil, err
	}
	run, hangUp, err := load(s)
	if err != nil {
		return nil, nil, cmp.Or(err, s.stop())
	}
	return run, func() error {
		hangUp()
		return s.stop()
	}, nil
}

// server is a running server, as the load sees it.
type server struct {
	addr string
	most int // idle connections, 0 for any number
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
}

// start starts this program again as the peer's server, or the peer's own program.
func start(peer Server, spec, profile string) (*server, error) {
	s := &server{most: peer.MostConns}
	if peer.Program != nil {
		s.cmd = peer.Program()
	} else {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program to run it again: %w", err)
		}
		s.cmd = exec.Command(exe, "-serve", spec, "-cpuprofile", profile)
	}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server of %s: %w", spec, err)
	}
	s.out = bufio.NewScanner(out)
	if !s.out.Scan() {
		return nil, fmt.Errorf("%w: the server of %s printed no address and ended with %v; run it alone with -serve %[2]s", errSample, spec, s.stop())
	}
	s.addr = s.out.Text()
	return s, nil
}

// settle has it tidy its memory.
func (s *server) settle() error {
	if _, err := fmt.Fprintln(s.in); err != nil {
		return fmt.Errorf("asking the server to tidy up: %w", err)
	}
	if !s.out.Scan() {
		return fmt.Errorf("%w: the server ended before it was told to", errSample)
	}
	return nil
}

// stop ends it. One that does not hear is killed.
func (s *server) stop() error {
	_ = s.in.Close()
	defer time.AfterFunc(10*time.Second, func() { _ = s.cmd.Process.Kill() }).Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	return nil
}

// measure runs f, which has the server do ops operations. Nobody counts the
// allocations of another process.
func (s *server) measure(ops int, f func() error) (Sample, error) {
	cpu, start := familyCPU(s.cmd.Process.Pid), time.Now()
	err := f()
	return Sample{
		Ops: ops, Elapsed: time.Since(start), TimeOnly: true,
		CPU: familyCPU(s.cmd.Process.Pid) - cpu,
	}, err
}
