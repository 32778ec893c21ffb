package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

//go:embed perl/messaging.pl
var perlMessaging string

func init() {
	runs := make(map[string]Runner)
	for _, row := range []string{"yield", "flood", "ping-pong", "ring", "call", "fan-out", "spawn"} {
		runs[row] = func(ops int) (Sample, error) { return perlRun("messaging.pl", perlMessaging, row, ops) }
	}
	messaging.register(perl, runs)
}

// needPerl says why Perl's POE cannot be measured here.
func needPerl() error {
	if out, err := exec.Command("perl", "-MPOE", "-e1").CombinedOutput(); err != nil {
		return fmt.Errorf("perl -MPOE: %w, %.100q; install POE (Debian: libpoe-perl), else budgets take quoted figures", err, out)
	}
	return nil
}

// perlRun runs a Perl program once. It takes the time itself, without the
// interpreter's start, and counts no allocations.
func perlRun(name, program, row string, ops int, more ...string) (Sample, error) {
	cmd := exec.Command("perl", append([]string{"-", row, strconv.Itoa(ops)}, more...)...)
	cmd.Stdin = strings.NewReader(program)
	out, err := cmd.Output()
	if err != nil {
		return Sample{}, fmt.Errorf("perl/%s: %w\n%s", name, err, lastWords(err))
	}
	var f struct {
		Ops   int       `json:"ops"`
		Nanos float64   `json:"ns_per_op"`
		CPU   float64   `json:"cpu_us_per_op"`
		Waits []float64 `json:"waits_us"`
	}
	if err := json.Unmarshal(out, &f); err != nil || f.Ops != ops || f.Nanos <= 0 {
		return Sample{}, fmt.Errorf("%w: perl/%s printed %.200q for %d operations, want one line of JSON", errSample, name, out, ops)
	}
	s := Sample{
		Ops: ops, Elapsed: time.Duration(f.Nanos * float64(ops)), TimeOnly: true,
		CPU: microseconds(f.CPU * float64(ops)),
	}
	for _, us := range f.Waits {
		s.Waits = append(s.Waits, microseconds(us))
	}
	return s, nil
}

func microseconds(us float64) time.Duration {
	return time.Duration(us * float64(time.Microsecond))
}
