package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tour needs to be its own executable: its workers are the program again.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tour")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "tour")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func tourCommand(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("standard error:\n%s", stderr.String())
		}
	})
	return cmd, &stderr
}

// left lists the processes that run the tour's binary.
func left(t *testing.T) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("no /proc to look for processes in")
	}
	for _, l := range links {
		if exe, err := os.Readlink(l); err == nil && strings.HasPrefix(exe, binary) {
			pids = append(pids, strings.Split(l, "/")[2])
		}
	}
	return pids
}

func nobodyLeft(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for pids := left(t); len(pids) > 0; pids = left(t) {
		if time.Now().After(deadline) {
			t.Fatalf("processes are left: %v", pids)
		}
		runtime.Gosched()
	}
}

// TestNothingIsLost sends 20,000 requests, has a worker killed, and counts.
func TestNothingIsLost(t *testing.T) {
	cmd, _ := tourCommand(t, "-requests", "20000", "-json")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var r map[string]float64
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatalf("the last line is no object of numbers: %v\n%s", err, out)
	}
	for name, want := range map[string]float64{"requests": 20000, "answered": 20000, "failed": 0, "workers_killed": 1, "workers_started": 5} {
		if got, ok := r[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if r["reused"] < 18000 {
		t.Errorf("only %v requests went over an open connection", r["reused"])
	}
	if r["backend_calls"] < 20000 || r["seconds"] <= 0 {
		t.Errorf("backend_calls %v, seconds %v", r["backend_calls"], r["seconds"])
	}
	if _, ok := r["backend_reconnects"]; !ok {
		t.Error("backend_reconnects is missing")
	}
	nobodyLeft(t)
}

func TestSummaryForPeople(t *testing.T) {
	cmd, _ := tourCommand(t, "-requests", "500", "-workers", "2", "-concurrency", "3")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"500 requests, 500 answered, 0 failed", "1 killed", "killed half-way"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the summary lacks %q:\n%s", want, out)
		}
	}
	nobodyLeft(t)
}

// TestSignalEndsEverything interrupts the tour in the middle of its work.
func TestSignalEndsEverything(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd, _ := tourCommand(t, "-requests", "100000000")
			started(t, cmd)
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("it ended with %v; want status 1, for it did not finish", err)
			}
			nobodyLeft(t)
		})
	}
}

// TestWorkersNoticeADeadMaster kills the master: nothing stays behind.
func TestWorkersNoticeADeadMaster(t *testing.T) {
	cmd, _ := tourCommand(t, "-requests", "100000000")
	started(t, cmd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	nobodyLeft(t)
}

// started returns when requests are being answered.
func started(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stderr = nil
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(pipe)
	for in.Scan() {
		if strings.Contains(in.Text(), "workers are ready") {
			go func() { _, _ = io.Copy(io.Discard, pipe) }()
			return
		}
	}
	t.Fatal("the workers did not become ready")
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-requests", "0"}, {"-workers", "1"}, {"-concurrency", "0"}} {
		cmd, stderr := tourCommand(t, args...)
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(stderr.String(), args[0]) {
			t.Errorf("%v: %v, %s", args, err, stderr)
		}
	}
}
