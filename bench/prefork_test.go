package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// A shell stands for whatever starts a server: its only child is the master, which has
// several.
func TestWorkersAreFound(t *testing.T) {
	if err := needProc(); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("/bin/sh", "-c", `exec 3<&0; /bin/sh -c "cat <&3 & cat <&3 & cat"; true`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	if !slices.Contains(childrenOf(os.Getpid()), cmd.Process.Pid) {
		t.Errorf("%v are the children, without %d", childrenOf(os.Getpid()), cmd.Process.Pid)
	}
	master := 0
	if err := soon("three workers", func() bool {
		master = masterOf(cmd.Process.Pid)
		return len(childrenOf(master)) == 3
	}); err != nil {
		t.Fatal(err)
	}
	if master == cmd.Process.Pid {
		t.Error("the shell is taken for the master")
	}
	sum, err := shareOf(childrenOf(master))
	one, oneErr := proportionalMemory(childrenOf(master)[0])
	if err := errors.Join(err, oneErr); err != nil || one <= 0 || one >= sum {
		t.Errorf("one worker of three has %d bytes of %d, %v", one, sum, err)
	}
	if _, err := proportionalMemory(noProcess); err == nil {
		t.Error("no process has memory")
	}
}

func TestReplacedWorkersAreOthers(t *testing.T) {
	for _, c := range []struct {
		old, now []int
		want     bool
	}{{[]int{1, 2}, []int{3, 4}, true}, {[]int{1, 2}, []int{3, 2}, false}, {nil, []int{1}, true}} {
		if got := disjoint(c.old, c.now); got != c.want {
			t.Errorf("%v and %v: %v", c.old, c.now, got)
		}
	}
}
