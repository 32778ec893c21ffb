package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestTailFollowsARotatedFile builds the program and compares all that it prints.
func TestTailFollowsARotatedFile(t *testing.T) {
	dir := t.TempDir()
	program, path := filepath.Join(dir, "tail"), filepath.Join(dir, "log")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, path)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer overdue.Stop()
	out := bufio.NewScanner(pipe)
	want := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !out.Scan() || out.Text() != line {
				t.Errorf("it prints %q, want %q", out.Text(), line)
			}
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	want("==> " + path + ": following <==")
	write("one\ntwo\n")
	want("==> "+path+": appeared <==", "one", "two")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("three\n")
	want("==> "+path+": replaced <==", "three")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	want("==> " + path + ": truncated <==")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if out.Scan() {
		t.Errorf("it prints %q after Ctrl-C", out.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
}
