package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test binary is the program when its first argument is -child or -serve, as
// sampleIn and start start it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "-child" || os.Args[1] == "-serve") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	// A race-enabled child sleeps a second before it exits, unless told not to.
	_ = os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// program runs it as a user would.
func program(t *testing.T, args string) (code int, stdout, stderr string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var out strings.Builder
	code = run(t.Context(), strings.Fields(args), &out, log)
	text, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	return code, out.String(), string(text)
}

func TestComparisonInProcessesOfTheirOwn(t *testing.T) {
	code, out, log := program(t, "-rounds 2 -time 1ms -row yield,call -peer channel,protoactor -json")
	if code != exitOK {
		t.Fatalf("exit status %d, standard error:\n%s", code, log)
	}
	var j jsonReport
	if err := json.Unmarshal([]byte(out), &j); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	var rows []string
	for _, r := range j.Rows {
		rows = append(rows, r.Row)
		for _, peer := range []string{channel, protoactor} {
			if len(r.Peers[peer]) != 2 || r.Peers[peer][1].Nanos <= 0 {
				t.Errorf("%s/%s has rounds %+v, want two that took time", peer, r.Row, r.Peers[peer])
			}
		}
	}
	if !slices.Equal(rows, []string{"yield", "call"}) || len(j.Budgets) == 0 {
		t.Errorf("rows are %v with %d budgets, want yield, call and some", rows, len(j.Budgets))
	}
	if !strings.Contains(log, "yield, round 2 of 2") {
		t.Errorf("no progress in standard error:\n%s", log)
	}
}

func TestChildPrintsOneLine(t *testing.T) {
	code, out, log := program(t, "-child channel/flood -ops 100")
	if code != exitOK || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit status %d, printed %q, standard error %q; want one line", code, out, log)
	}
	var f map[string]float64
	if err := json.Unmarshal([]byte(out), &f); err != nil || f["ops"] != 100 || f["ns_per_op"] <= 0 {
		t.Errorf("printed %s (%v); want ops 100 and what each took", out, err)
	}
	for _, name := range []string{"allocs_per_op", "bytes_per_op"} {
		if _, ok := f[name]; !ok {
			t.Errorf("%s is missing in %s", name, out)
		}
	}
}

func TestManyReachesTheChild(t *testing.T) {
	code, out, log := program(t, "-rounds 1 -many 300 -row idle -peer channel -json")
	var j jsonReport
	if err := json.Unmarshal([]byte(out), &j); err != nil || code != exitOK {
		t.Fatalf("exit status %d, %v, standard error:\n%s", code, err, log)
	}
	if f := j.Rows[0].Peers[channel][0]; f.Ops != 300 || f.Kept <= 0 || j.Many != 300 {
		t.Errorf("-many %d: %+v; want 300 members that take memory", j.Many, f)
	}
}

func TestConnsReachTheChild(t *testing.T) {
	code, out, log := program(t, "-rounds 1 -conns 30 -row idle-connection -peer go -json")
	var j jsonReport
	if err := json.Unmarshal([]byte(out), &j); err != nil || code != exitOK {
		t.Fatalf("exit status %d, %v, standard error:\n%s", code, err, log)
	}
	if f := j.Rows[0].Peers[goPlain][0]; f.Ops != 30 || j.Conns != 30 {
		t.Errorf("-conns %d: %+v; want 30 connections", j.Conns, f)
	}
}

func TestExitStatusOfMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"-rounds 0":            "bench: usage: -rounds is 0",
		"-row nothing":         `bench: usage: -row is "nothing"`,
		"-child channel/none":  `bench: usage: -child is "channel/none"`,
		"-serve channel/none":  `bench: usage: -serve is "channel/none"`,
		"-serve channel/flood": `bench: usage: -serve is "channel/flood", which is no server`,
	} {
		if code, _, log := program(t, args); code != exitFailed || !strings.Contains(log, want) {
			t.Errorf("%s: exit status %d, standard error %q; want %d and %q", args, code, log, exitFailed, want)
		}
	}
	if code, _, log := program(t, "-help"); code != exitOK || !strings.Contains(log, "-rounds") {
		t.Errorf("-help: exit status %d, %q", code, log)
	}
}

func TestFailedChildIsReportedWithItsWords(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = sampleIn(exe, options{Time: time.Millisecond, Many: 1, Conns: 1})(t.Context(), "channel/none")
	if !errors.Is(err, errSample) || !strings.Contains(err.Error(), "want peer/row") {
		t.Errorf("%v; want errSample and what the child said", err)
	}
	_, err = sampleIn("/does/not/exist", options{Time: time.Millisecond, Many: 1, Conns: 1})(t.Context(), "channel/flood")
	if !errors.Is(err, errSample) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v; want errSample because of os.ErrNotExist", err)
	}
}

func TestInterruptEndsTheChild(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := sampleIn(exe, options{Time: time.Hour, Many: 1, Conns: 1})(ctx, "channel/yield"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
}
