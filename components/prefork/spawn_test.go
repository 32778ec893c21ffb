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
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestP10_P12_WorkersShareListenersAndScoreboard(t *testing.T) {
	path := socketPath(t)
	s := newSpawner(t, 3, "tcp://:0", "unix://"+path)
	pids := map[int]int{}
	for slot := range 2 {
		w := startWorker(t, s, slot, uint64(5+slot), "serve")
		pids[slot] = w.pid
		if got := w.line(t); got != "ready\n" {
			t.Fatalf("the worker said %q", got)
		}
	}
	for _, line := range s.board.snapshot(nil)[:2] {
		if line.State != StateIdle || line.PID != pids[line.Slot] {
			t.Errorf("before any connection: %+v, want idle with pid %d", line, pids[line.Slot])
		}
	}
	for _, e := range s.endpoints {
		// Each worker takes one connection of each listener.
		one, _ := ask(t, e.addr)
		two, _ := ask(t, e.addr)
		if got := []string{one, two}; one == two || !slices.Contains(got, "0") || !slices.Contains(got, "1") {
			t.Errorf("%s was served by %v, want both workers", e.text, got)
		}
	}
	for _, line := range s.board.snapshot(nil)[:2] {
		if line.State != StateBusy || line.Connections != 2 || line.Life != uint64(5+line.Slot) {
			t.Errorf("after two connections: %+v", line)
		}
	}
	if third := s.board.snapshot(nil)[2]; third != (WorkerStatus{Slot: 2, Letter: "."}) {
		t.Errorf("a line without a worker: %+v", third)
	}
	answers(t, "unix", path) // the workers closed theirs, the file stays (P72)
}

func TestP23_P52_WorkerKnowsWhatItIs(t *testing.T) {
	if childAtInit || IsChild() {
		t.Fatal("the test takes itself for a worker")
	}
	s := newSpawner(t, 2, "tcp://:0")
	w := startWorker(t, s, 1, 9, "facts")
	var got facts
	if err := json.Unmarshal([]byte(w.line(t)), &got); err != nil {
		t.Fatal(err)
	}
	want := facts{
		ChildAtInit: true, Child: true, Leader: true, Slot: 1, Life: 9,
		Args: os.Args, Addrs: []string{s.endpoints[0].addr.String()},
		// What somebody else gave to the test is passed on, and nothing of ours.
		Open: slices.DeleteFunc(inheritable(), func(fd int) bool { return fd <= firstListenerDescriptor }),
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("the worker says %+v\nwant %+v", got, want)
	}
	if runtime.GOOS == "linux" {
		want := filepath.Base(os.Args[0])
		got, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", w.pid))
		if name := strings.TrimSpace(string(got)); err != nil || name == "" || !strings.HasPrefix(want, name) {
			t.Errorf("the worker is listed as %q, %v; want the start of %q", name, err, want)
		}
	}
	if pgid, err := unix.Getpgid(w.pid); err != nil || pgid == unix.Getpgrp() {
		t.Fatalf("the worker is in group %d, %v; the master's is %d", pgid, err, unix.Getpgrp())
	}
}

func TestP52_InheritanceIsChecked(t *testing.T) {
	if _, err := inherit("test", 0); !errors.Is(err, ErrInheritance) {
		t.Fatalf("in a process that is no worker: %v, want ErrInheritance", err)
	}
	w := startWorker(t, newSpawner(t, 1, "tcp://:0"), 0, 1, "refused")
	if st := w.wait(t); st.ExitCode() != waitedOut {
		t.Fatalf("the worker ended with %v; its complaint is on standard error", st)
	}
}

func TestP86_WorkerSeesItsMasterGo(t *testing.T) {
	w := startWorker(t, newSpawner(t, 1), 0, 1, "serve")
	if got := w.line(t); got != "ready\n" {
		t.Fatalf("the worker said %q", got)
	}
	w.control.Close()
	if st := w.wait(t); st.ExitCode() != waitedOut {
		t.Fatalf("the worker ended with %v, want status %d", st, waitedOut)
	}
}

func TestP87_StatusIsReported(t *testing.T) {
	w := startWorker(t, newSpawner(t, 1), 0, 1, "fail")
	if st := w.wait(t); st.ExitCode() != 3 || st.Pid() != w.pid {
		t.Fatalf("the worker %d ended with %v of %d, want status 3", w.pid, st, st.Pid())
	}
	if _, err := w.lines.ReadByte(); err != io.EOF {
		t.Fatalf("the control socket reads %v after the worker's end, want EOF", err)
	}
}

func TestP87_KilledWorkerIsReaped(t *testing.T) {
	s := newSpawner(t, 1)
	w := startWorker(t, s, 0, 1, "serve")
	w.line(t)
	if err := w.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	st, ok := w.wait(t).Sys().(syscall.WaitStatus)
	if !ok || !st.Signaled() || st.Signal() != syscall.SIGKILL {
		t.Fatalf("the worker ended with %v, want SIGKILL", st)
	}
	if err := w.signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("a signal to a reaped worker: %v, want os.ErrProcessDone", err)
	}
	// What it had written is intact, and its slot can be used again.
	if got := s.board.snapshot(nil)[0]; got.State != StateIdle || got.PID != w.pid {
		t.Fatalf("its line reads %+v", got)
	}
	next := startWorker(t, s, 0, 2, "serve")
	next.line(t)
	if got := s.board.snapshot(nil)[0]; got.Life != 2 || got.PID != next.pid {
		t.Fatalf("its successor's line reads %+v", got)
	}
}

func TestP88_SpawnFailureIsReportedWithItsCause(t *testing.T) {
	s := newSpawner(t, 1, "tcp://:0")
	s.endpoints[0].close()
	p, err := s.spawn(0, 1, 1, func(*os.ProcessState, error) { t.Error("a process that never was has ended") })
	if p != nil || !errors.Is(err, ErrSpawn) || !errors.Is(err, syscall.EBADF) || !strings.Contains(err.Error(), "KeepOnError") {
		t.Fatalf("%v, %v; want ErrSpawn with its cause and remedy", p, err)
	}
}

// TestP86_WorkersDoNotSurviveAKilledMaster also proves that a master whose
// program file is gone can still start workers.
func TestP86_WorkersDoNotSurviveAKilledMaster(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	instruction := "keep"
	if runtime.GOOS == "linux" {
		exe = copyFile(t, exe)
		instruction = exe
	}
	master := exec.Command(exe)
	master.Env = append(os.Environ(), masterVariable+"="+instruction, roleVariable+"=serve")
	master.Stderr = os.Stderr
	out, err := master.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		master.Process.Kill()
		master.Wait()
	}()
	where, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr, err := net.ResolveTCPAddr("tcp", strings.TrimSpace(where))
	if err != nil {
		t.Fatal(err)
	}
	slot, conn := ask(t, addr)
	if slot != "0" {
		t.Fatalf("the worker answered %q", slot)
	}
	if err := master.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read %d, %v; want EOF from the worker's end", n, err)
	}
}

func copyFile(t *testing.T, from string) string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(to, data, 0o700); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestP52_WrongDescriptorsAreNotTaken(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ours, theirs, err := socketpair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer theirs.Close()
	pipe, sock, board := int(r.Fd()), int(theirs.Fd()), newBoard(t, 1).file
	dup := func(f *os.File) int { // what is right is taken over, so give it a copy
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	const closed = maxDescriptor
	for _, c := range []struct {
		name string
		told inheritance
		want string
	}{
		{"control", inheritance{control: pipe}, "is not a control socket"},
		{"control closed", inheritance{control: closed}, "is not a control socket"},
		{"scoreboard", inheritance{control: dup(theirs), scoreboard: pipe}, "is not a scoreboard"},
		{"scoreboard closed", inheritance{control: dup(theirs), scoreboard: closed}, "is not a scoreboard"},
		{"listener", inheritance{control: dup(theirs), scoreboard: dup(board), listeners: []int{sock}}, "is not a listener"},
		{"listener closed", inheritance{control: dup(theirs), scoreboard: dup(board), listeners: []int{closed}}, "is not a listener"},
	} {
		if _, err := c.told.claim(); !errors.Is(err, ErrInheritance) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	for _, fd := range []int{pipe, sock} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			t.Errorf("descriptor %d was closed, though it is not ours: %v", fd, err)
		}
	}
}
