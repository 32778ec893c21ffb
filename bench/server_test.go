package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestServeObeysStandardInput(t *testing.T) {
	in, feed := io.Pipe()
	read, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(groups, options{Serve: "go/echo-64"}, in, out) }()
	var addr, settled string
	if _, err := fmt.Fscanln(read, &addr); err != nil {
		t.Fatal(err)
	}
	cs, err := connect(addr, 3, (*client).ask)
	if err != nil {
		t.Fatal(err)
	}
	hangUpAll(cs)
	_, _ = fmt.Fprintln(feed)
	if _, err := fmt.Fscanln(read, &settled); err != nil || settled != "settled" {
		t.Errorf("a line was answered with %q, %v; want settled", settled, err)
	}
	_ = feed.Close()
	if err := <-ended; err != nil {
		t.Errorf("after the end of standard input: %v", err)
	}
}

func TestServersThatFailAreErrors(t *testing.T) {
	shell := func(script string) Server {
		return Server{Program: func() *exec.Cmd { return exec.Command("/bin/sh", "-c", script) }}
	}
	if _, err := start(shell("exit 3"), "a/b", ""); !errors.Is(err, errSample) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("one that says nothing: %v; want errSample and its exit status", err)
	}
	if _, err := start(Server{Program: func() *exec.Cmd { return exec.Command("/does/not/exist") }}, "a/b", ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("one that is not there: %v; want os.ErrNotExist", err)
	}
	s, err := start(shell("echo here; read line; exit 4"), "a/b", "")
	if err != nil || s.addr != "here" {
		t.Fatalf("it is at %+v, %v; want here", s, err)
	}
	if err := s.settle(); !errors.Is(err, errSample) {
		t.Errorf("one that ends instead of an answer: %v; want errSample", err)
	}
	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "exit status 4") {
		t.Errorf("its end: %v; want its exit status", err)
	}
}

// A load that cannot begin leaves no server behind.
func TestFailedLoadEndsTheServer(t *testing.T) {
	broken := errors.New("broken")
	var s *server
	load := func(got *server) (Runner, func(), error) {
		s = got
		return nil, nil, broken
	}
	if _, _, err := loaded(load, connections.row("echo-64").Serve[goPlain], "go/echo-64", ""); !errors.Is(err, broken) {
		t.Errorf("%v; want the load's error", err)
	}
	if s.cmd.ProcessState == nil {
		t.Error("the server still runs")
	}
}

func TestServersAreProfiled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.out")
	if code, _, log := program(t, "-child go/udp-echo -ops 10 -cpuprofile "+path); code != exitOK {
		t.Fatalf("exit status %d, %s", code, log)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the profile is %v, %v; want a file that is not empty", info, err)
	}
}

// noProcess is beyond the highest number that Linux gives one.
const noProcess = 1 << 22

func TestProcessorTimeOfAProcess(t *testing.T) {
	before := processCPU(os.Getpid())
	if before == 0 {
		t.Skip("not known on this system")
	}
	var spent time.Duration
	for begun := time.Now(); spent == 0 && time.Since(begun) < 30*time.Second; { // others may have the processors
		spent = processCPU(os.Getpid()) - before
	}
	if spent <= 0 || spent > time.Minute {
		t.Errorf("it took %v of processors to look how many it took", spent)
	}
	if d := processCPU(noProcess); d != 0 {
		t.Errorf("no process took %v", d)
	}
}

// What a server's children take is the server's, and so is what theirs take.
func TestProcessorTimeOfAFamily(t *testing.T) {
	if processCPU(os.Getpid()) == 0 {
		t.Skip("not known on this system")
	}
	busy := exec.Command("/bin/sh", "-c", "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done; read x'; echo end")
	in, err := busy.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := busy.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = busy.Wait() }()
	var said string
	if _, err := fmt.Fscanln(out, &said); err != nil {
		t.Fatal(err)
	}
	alone, all := processCPU(busy.Process.Pid), familyCPU(busy.Process.Pid)
	if all < alone+10*time.Millisecond { // the grandchild's loop
		t.Errorf("a parent took %v, and with its children %v", alone, all)
	}
}

func TestMemoryOfAProcess(t *testing.T) {
	debug.FreeOSMemory() // of earlier tests, which this one would use again
	before, err := residentMemory(os.Getpid())
	if err != nil || before <= 0 {
		t.Fatalf("%d bytes, %v", before, err)
	}
	const size = 64 << 20
	p := make([]byte, size)
	for i := range p {
		p[i] = 1
	}
	after, err := residentMemory(os.Getpid())
	if grown := after - before; err != nil || grown < size*9/10 {
		t.Errorf("%d bytes more, %v; want about %d", grown, err, size)
	}
	if p[size-1] != 1 {
		t.Error("the memory was not used")
	}
	if n, err := residentMemory(noProcess); err == nil {
		t.Errorf("no process has %d bytes", n)
	}
}

func TestFewerConnectionsThanAskedForAreNoted(t *testing.T) {
	idle, other := []task{{Row: &Row{Conns: true}}}, []task{{Row: &Row{}}}
	most := fittingConns(1 << 40)
	for _, c := range []struct {
		name      string
		plan      []task
		ask, want int
		noted     bool
	}{
		{"as many as there may be", idle, most, most, false},
		{"more", idle, most + 1, most, true},
		{"more, where nobody cares", other, most + 1, most, false},
	} {
		var log strings.Builder
		got := fitConns(c.plan, c.ask, &log)
		if noted := strings.Contains(log.String(), "ulimit"); got != c.want || noted != c.noted {
			t.Errorf("%s: %d, %q; want %d", c.name, got, log.String(), c.want)
		}
	}
}
