package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/usher-go/usher/components/backend"
)

func TestWrongRepliesAreErrors(t *testing.T) {
	if err := checkUsherAnswer(backend.Reply{Args: []any{backendPayload}}); err != nil {
		t.Errorf("what was sent: %v", err)
	}
	for name, r := range map[string]backend.Reply{
		"another":      {Args: []any{[]byte("other")}},
		"another kind": {Args: []any{string(backendPayload)}},
		"none":         {},
		"two":          {Args: []any{backendPayload, backendPayload}},
	} {
		if err := checkUsherAnswer(r); !errors.Is(err, errSample) {
			t.Errorf("%s: %v; want errSample", name, err)
		}
	}
	if err := checkUsherAnswer(backend.Reply{Err: backend.ErrLost}); !errors.Is(err, backend.ErrLost) {
		t.Errorf("a failure: %v", err)
	}
}

// Where both ends are measured, each has a profile.
func TestBothEndsAreProfiled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.out")
	if code, _, log := program(t, "-child usher/backend-1 -ops 10 -cpuprofile "+path); code != exitOK {
		t.Fatalf("exit status %d, %s", code, log)
	}
	for _, p := range []string{path, path + ".server"} {
		if info, err := os.Stat(p); err != nil || info.Size() == 0 {
			t.Errorf("%s is %v, %v; want a file that is not empty", p, info, err)
		}
	}
}

// Each end's processor time counts.
func TestProcessorTimeOfBothEnds(t *testing.T) {
	if processCPU(os.Getpid()) == 0 {
		t.Skip("not known on this system")
	}
	run, stop, err := backends.row("backend-1x64").prepare(grpcPeer, options{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	before := processCPU(os.Getpid())
	s, err := run(5000)
	if own := processCPU(os.Getpid()) - before; err != nil || s.CPU <= own {
		t.Errorf("%v of processors, %v of them this process's, %v; want the server's, too", s.CPU, own, err)
	}
}
