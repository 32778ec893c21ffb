package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// recorder is a row of 1 µs per operation that remembers how often it was
// asked for.
type recorder struct{ asked []int }

func (r *recorder) run(ops int) (Sample, error) {
	r.asked = append(r.asked, ops)
	return Sample{Ops: ops, Elapsed: time.Duration(ops) * time.Microsecond, Allocs: uint64(2 * ops)}, nil
}

func TestSampleOfGivenOperations(t *testing.T) {
	var r recorder
	s, err := sample(&Row{}, r.run, options{Ops: 500, Time: time.Hour})
	if err != nil || s.Ops != 500 || !slices.Equal(r.asked, []int{50, 500}) {
		t.Errorf("asked for %v, counted %d, %v; want a warm-up of 50 and 500", r.asked, s.Ops, err)
	}
}

func TestSampleOfGivenTime(t *testing.T) {
	var r recorder
	s, err := sample(&Row{}, r.run, options{Time: 2 * time.Millisecond})
	// A tenth of the time is 200 µs: 64 and 128 operations are too few.
	want := []int{64, 128, 256, 256, 256, 256, 256, 256, 256, 256, 256}
	if err != nil || !slices.Equal(r.asked, want) {
		t.Errorf("asked for %v, %v; want %v", r.asked, err, want)
	}
	if f := s.figures(); f.Ops != 8*256 || f.Nanos != 1000 || f.Allocs != 2 {
		t.Errorf("figures are %+v; want 2048 operations of 1000 ns and 2 allocations, warm-up left out", f)
	}
}

func TestSampleOfARowAboutMany(t *testing.T) {
	for _, c := range []struct {
		o    options
		want int
	}{
		{options{Many: 3000, Time: time.Hour}, 3000},
		{options{Many: 3000, Ops: 7}, 7},
	} {
		var r recorder
		s, err := sample(&Row{Many: true}, r.run, c.o)
		if err != nil || s.Ops != c.want || !slices.Equal(r.asked, []int{c.want}) {
			t.Errorf("%+v: asked for %v, counted %d, %v; want one run of %d and no warm-up", c.o, r.asked, s.Ops, err, c.want)
		}
	}
}

func TestSampleOfConnections(t *testing.T) {
	for _, c := range []struct {
		o    options
		want int
	}{
		{options{Conns: 30, Many: 3000, Time: time.Hour}, 30},
		{options{Conns: 30, Ops: 7}, 7},
		{options{Conns: math.MaxInt, Time: time.Hour}, fittingConns(math.MaxInt)},
	} {
		var r recorder
		if s, err := sample(&Row{Conns: true}, r.run, c.o); err != nil || s.Ops != c.want || !slices.Equal(r.asked, []int{c.want}) {
			t.Errorf("%+v: asked for %v, counted %d, %v; want one run of %d and no warm-up", c.o, r.asked, s.Ops, err, c.want)
		}
	}
}

func TestSampleOfOneRun(t *testing.T) {
	var r recorder
	s, err := sample(&Row{OneRun: true}, r.run, options{Time: 2 * time.Millisecond})
	if want := []int{64, 128, 256, 2560}; err != nil || !slices.Equal(r.asked, want) || s.Ops != 2560 {
		t.Errorf("asked for %v, counted %d, %v; want %v, the last of them", r.asked, s.Ops, err, want)
	}

	// The first run of the warm-up is held up, and so all that follows from it is
	// too short.
	var held recorder
	s, err = sample(&Row{OneRun: true}, func(ops int) (Sample, error) {
		s, err := held.run(ops)
		if len(held.asked) == 1 {
			s.Elapsed = time.Second
		}
		return s, err
	}, options{Time: 10 * time.Millisecond})
	if want := []int{64, 640, 640 * 16}; err != nil || !slices.Equal(held.asked, want) || s.Ops != 640*16 {
		t.Errorf("after a bad guess asked for %v, counted %d, %v; want %v, the last of them", held.asked, s.Ops, err, want)
	}
}

func TestSampleEndsWithTheRowsError(t *testing.T) {
	broken := errors.New("broken")
	for fail := range 3 {
		n := 0
		_, err := sample(&Row{}, func(ops int) (Sample, error) {
			if n++; n > fail {
				return Sample{}, broken
			}
			return Sample{Ops: ops, Elapsed: time.Second}, nil
		}, options{Time: 10 * time.Second})
		if !errors.Is(err, broken) || n != fail+1 {
			t.Errorf("run %d fails: %v after %d runs", fail+1, err, n)
		}
	}
}

func TestProfileIsWritten(t *testing.T) {
	var r recorder
	path := filepath.Join(t.TempDir(), "cpu.out")
	if _, err := sample(&Row{}, r.run, options{Ops: 1, CPUProfile: path}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the profile is %v, %v; want a file that is not empty", info, err)
	}
	if _, err := sample(&Row{}, r.run, options{Ops: 1, CPUProfile: filepath.Join(path, "x")}); err == nil {
		t.Error("a profile below a file was accepted")
	}
}
