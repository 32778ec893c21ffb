//go:build unix

package prefork

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is its own worker, and its own master where a test needs one
// that it may kill. These variables choose what the process does.
const (
	roleVariable    = "USHER_TEST_ROLE"    // of a worker: a key of roles
	masterVariable  = "USHER_TEST_MASTER"  // set: be a master
	programVariable = "USHER_TEST_PROGRAM" // a key of programs: call New
	mainVariable    = "USHER_TEST_MAIN"    // a key of mains: call Main
)

// childAtInit is what code sees that runs while packages are initialised.
var childAtInit = IsChild()

func TestMain(m *testing.M) {
	be := func() int { return m.Run() }
	switch {
	case os.Getenv(programVariable) != "":
		be = beProgram
	case os.Getenv(soakVariable) != "":
		be = beSoaked
	case os.Getenv(mainVariable) != "":
		Main(mains[os.Getenv(mainVariable)])
	case IsChild():
		be = beWorker
	case os.Getenv(masterVariable) != "":
		be = beMaster
	}
	os.Exit(be())
}

// patience bounds every wait of these tests, in master and worker.
const patience = time.Minute

var roles = map[string]func() error{
	"facts":   tellFacts,
	"fail":    func() error { os.Exit(3); return nil },
	"refused": checkRefusals,
	"serve":   serveOnce,
}

// waitedOut is the status of a worker that saw its master go.
const waitedOut = 7

func beWorker() int {
	time.AfterFunc(patience, func() { os.Exit(99) })
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", os.Getenv(roleVariable))
		return 98
	}
	if err := role(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return waitedOut
}

// beMaster starts a worker, says where it listens, and never ends by itself. Its
// program file is removed first if it was copied for that.
func beMaster() int {
	time.AfterFunc(patience, func() { os.Exit(99) })
	err := func() error {
		if exe := os.Getenv(masterVariable); exe != "keep" {
			if err := os.Remove(exe); err != nil {
				return err
			}
		}
		a, err := parseListen("Listen[0]", "tcp://:0")
		if err != nil {
			return err
		}
		e, err := a.open()
		if err != nil {
			return err
		}
		b, err := createScoreboard(1)
		if err != nil {
			return err
		}
		b.assign(0, 1, 1, time.Now())
		s := spawner{name: "test", board: b, endpoints: []*endpoint{e}, programs: onlyThis()}
		p, err := s.spawn(0, 1, 1, func(*os.ProcessState, error) {})
		if err != nil {
			return err
		}
		fmt.Println(e.addr)
		_, err = io.Copy(io.Discard, p.control)
		return err
	}()
	fmt.Fprintln(os.Stderr, "master:", err)
	return 1
}

func inheritAll() (*estate, error) {
	birth.ready.Store(true)
	return inherit("test", len(birth.told.listeners))
}

// untilMasterIsGone blocks until the control socket ends.
func (e *estate) untilMasterIsGone() error {
	_, err := io.Copy(io.Discard, e.control)
	return err
}

// serveOnce answers one connection on each listener with the slot's number, and
// keeps it open until the master is gone.
func serveOnce() error {
	e, err := inheritAll()
	if err != nil {
		return err
	}
	e.seat.set(StateIdle, time.Now())
	fmt.Fprintln(e.control, "ready")
	for _, ln := range e.listeners {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		defer c.Close()
		e.seat.connection()
		e.seat.set(StateBusy, time.Now())
		fmt.Fprintln(c, e.slot)
		if err := ln.Close(); err != nil { // must not remove a socket file
			return err
		}
	}
	return e.untilMasterIsGone()
}

// facts is what a worker finds out about itself.
type facts struct {
	ChildAtInit, Child bool
	Variable           bool  // would a program it runs take itself for a worker?
	Leader             bool  // of its own process group
	Open               []int // descriptors that such a program would inherit
	Slot               int
	Life               uint64
	Args               []string
	Addrs              []string
}

func tellFacts() error {
	e, err := inheritAll()
	if err != nil {
		return err
	}
	f := facts{
		ChildAtInit: childAtInit, Child: IsChild(), Slot: e.slot, Life: e.life,
		Leader: unix.Getpgrp() == os.Getpid(), Args: os.Args, Open: inheritable(),
	}
	f.Variable = slices.ContainsFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, inheritanceVariable) })
	for _, ln := range e.listeners {
		f.Addrs = append(f.Addrs, ln.Addr().String())
	}
	if err := json.NewEncoder(e.control).Encode(f); err != nil {
		return err
	}
	return e.untilMasterIsGone()
}

// inheritable are the descriptors that a program run from here would get.
func inheritable() []int {
	fds := []int{}
	for fd := 3; fd < 1024; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			fds = append(fds, fd)
		}
	}
	return fds
}

// checkRefusals tries what must fail before what must succeed, once.
func checkRefusals() error {
	told := len(birth.told.listeners)
	for _, c := range []struct {
		name      string
		listeners int
		want      string
	}{
		{"other", told, `a worker of pool "test", not of "other"`},
		{"test", told + 1, fmt.Sprintf("passed on %d listeners, Config.Listen has %d", told, told+1)},
		{"test", told, ""},
		{"test", told, "taken before"},
	} {
		_, err := inherit(c.name, c.listeners)
		if c.want == "" && err != nil {
			return err
		}
		if c.want != "" && (!errors.Is(err, ErrInheritance) || !strings.Contains(err.Error(), c.want)) {
			return fmt.Errorf("got %v, want %s", err, c.want)
		}
	}
	return nil
}

// worker is a started one, for a test.
type worker struct {
	*process
	lines *bufio.Reader
	ended chan *os.ProcessState
}

// startWorker starts one in a role. When the test ends its master end is closed,
// and it must be gone in time.
func startWorker(t *testing.T, s *spawner, slot int, life uint64, role string) *worker {
	t.Helper()
	t.Setenv(roleVariable, role)
	s.board.assign(slot, life, 1, time.Now())
	w := &worker{ended: make(chan *os.ProcessState, 1)}
	p, err := s.spawn(slot, life, 1, func(st *os.ProcessState, err error) {
		if err != nil {
			t.Errorf("worker %d: %v", slot, err)
		}
		w.ended <- st
		close(w.ended)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.process, w.lines = p, bufio.NewReader(p.control)
	if err := p.control.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.control.Close()
		w.wait(t)
	})
	return w
}

// wait returns how the worker ended; nil if that was returned before.
func (w *worker) wait(t *testing.T) *os.ProcessState {
	t.Helper()
	select {
	case st := <-w.ended:
		return st
	case <-time.After(patience):
		w.handle.Kill()
		<-w.ended
		t.Errorf("worker %d did not end", w.pid)
		return nil
	}
}

func (w *worker) line(t *testing.T) string {
	t.Helper()
	s, err := w.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("worker %d said nothing: %v", w.pid, err)
	}
	return s
}

// onlyThis has this program alone, as generation 1.
func onlyThis() map[int]*software {
	p, err := thisProgram()
	if err != nil {
		panic(err)
	}
	return map[int]*software{1: p}
}

func newSpawner(t *testing.T, slots int, listen ...string) *spawner {
	t.Helper()
	s := &spawner{name: "test", board: newBoard(t, slots), programs: onlyThis()}
	for _, l := range listen {
		s.endpoints = append(s.endpoints, mustOpen(t, l))
	}
	return s
}

// ask connects and returns the first line of the answer; the connection is open
// until the test ends.
func ask(t *testing.T, e net.Addr) (string, net.Conn) {
	t.Helper()
	c, err := net.DialTimeout(e.Network(), e.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	s, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return strings.TrimSpace(s), c
}
