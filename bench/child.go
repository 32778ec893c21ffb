package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"
)

// child takes one sample in this process and writes its Figures as one line of
// JSON.
func child(gs []*Group, o options, stdout io.Writer) error {
	row, peer, err := find(gs, "child", o.Child)
	if err != nil {
		return err
	}
	many = o.Many
	run, stop, err := row.prepare(peer, o)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Child, err)
	}
	if row.Load != nil {
		o.CPUProfile = "" // it is the server's
	}
	total, err := sample(row, run, o)
	if err := cmp.Or(err, stop()); err != nil {
		return fmt.Errorf("%s: %w", o.Child, err)
	}
	return json.NewEncoder(stdout).Encode(total.figures())
}

// sample warms up, then measures: o.Ops operations, or as many runs as fill
// o.Time, or one that does. A row about many or few is its own warm-up and has one run,
// as has one that is timed, which has -ops milliseconds of it.
func sample(row *Row, run Runner, o options) (total Sample, err error) {
	ops := o.Ops
	switch {
	case row.Many:
		ops = cmp.Or(o.Ops, o.Many)
	case row.Few > 0:
		ops = cmp.Or(o.Ops, row.Few)
	case row.Conns:
		ops = fittingConns(cmp.Or(o.Ops, o.Conns))
	case row.Timed:
		ops = cmp.Or(o.Ops, int(o.Time.Milliseconds()), 1)
	case ops > 0:
		_, err = run(max(1, ops/10))
	default:
		ops, err = warmUp(run, o.Time/10)
		if row.OneRun {
			ops *= 10
		}
	}
	if err != nil {
		return total, err
	}
	stop, err := profile(o.CPUProfile)
	if err != nil {
		return total, err
	}
	defer stop()
	for {
		s, err := run(ops)
		if err != nil {
			return total, err
		}
		if row.OneRun && o.Ops == 0 && s.Elapsed < o.Time/2 {
			ops *= 1 + int(o.Time/max(s.Elapsed, 1)) // something held the warm-up up, which made it too small
			continue
		}
		total.add(s)
		if row.Many || row.Few > 0 || row.Conns || row.OneRun || row.Timed || o.Ops > 0 || total.Elapsed >= o.Time {
			return total, nil
		}
	}
}

// warmUp doubles the number of operations until one run lasts at least d, and
// returns that number. Ten such runs make a sample: one long run would let a
// peer without back-pressure queue millions of events and measure the memory
// instead.
func warmUp(run Runner, d time.Duration) (ops int, err error) {
	for ops = 64; ; ops *= 2 {
		s, err := run(ops)
		if err != nil || s.Elapsed >= d {
			return ops, err
		}
	}
}

func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("-cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("-cpuprofile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}
