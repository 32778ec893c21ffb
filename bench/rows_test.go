package main

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// 1 is the least; 2500 passes the window twice and the ring twice, and divides
// by neither. Servers are given less, because some of them are slow.
func TestEveryRowOnce(t *testing.T) {
	defer func(n int) { many = n }(many)
	many = 1000
	for _, g := range groups {
		missing := make(map[string]error)
		for peer, need := range g.Needs {
			missing[peer] = need()
		}
		for _, r := range g.Rows {
			for _, peer := range g.Peers {
				if !r.has(peer) {
					continue
				}
				t.Run(peer+"/"+r.Name, func(t *testing.T) {
					if raceDetector && !strings.HasPrefix(peer, "usher") {
						t.Skip("only what is ours is run under the race detector")
					}
					if err := cmp.Or(missing[peer], missing[peer+"/"+r.Name]); err != nil {
						t.Skip(err)
					}
					run, stop, err := r.prepare(peer, options{})
					if err != nil {
						t.Fatal(err)
					}
					defer func() {
						if err := stop(); err != nil {
							t.Error(err)
						}
					}()
					cores := runtime.GOMAXPROCS(0)
					most := 2500
					if r.Load != nil || r.Asked != nil || r.Ends != nil {
						most = 250
					}
					if r.Few > 0 {
						most = r.Few
					}
					for _, ops := range []int{1, most} {
						if r.Timed {
							if ops == 1 {
								checkTimed(t, run)
							}
							continue
						}
						s, err := run(ops)
						if err != nil {
							t.Fatalf("%d operations: %v", ops, err)
						}
						if s.Ops != ops || s.Elapsed <= 0 {
							t.Errorf("%d operations were counted as %d and took %v", ops, s.Ops, s.Elapsed)
						}
						checkWaits(t, r, s)
					}
					if n := runtime.GOMAXPROCS(0); n != cores {
						t.Errorf("GOMAXPROCS is %d and was %d", n, cores)
					}
				})
			}
		}
	}
}

// checkTimed wants a second of operations, none of which failed.
func checkTimed(t *testing.T, run Runner) {
	s, err := run(1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Ops < 1 || s.Elapsed < time.Second/2 || s.P50 <= 0 || s.P99 < s.P50 || s.Failed == nil || *s.Failed != 0 {
		t.Errorf("%+v; want operations, none of them failed, and how long they took", s)
	}
}

// checkWaits wants a wait for each operation where the row shows them.
func checkWaits(t *testing.T, r *Row, s Sample) {
	if want := slices.Contains(r.figures(), P50); want != (len(s.Waits) == s.Ops) || !want && s.Waits != nil {
		t.Fatalf("%d waits of %d operations", len(s.Waits), s.Ops)
	}
	for _, w := range s.Waits {
		if w <= 0 {
			t.Fatalf("a wait of %v", w)
		}
	}
}

func TestMeasureCountsAllocations(t *testing.T) {
	var sink [100][]byte
	s := measure(len(sink), func() {
		for i := range sink {
			sink[i] = make([]byte, 1024)
		}
	})
	if f := s.figures(); f.Ops != 100 || f.Allocs < 1 || f.Bytes < 1024 {
		t.Errorf("100 slices of 1 KiB are %+v; want at least 1 allocation and 1024 bytes each", f)
	}
	if len(sink[99]) != 1024 {
		t.Error("the function did not run")
	}
}

// 64 MiB stand out from whatever else the process has at that moment.
func TestMeasureKeptWeighsWhatStays(t *testing.T) {
	const n, size = 64, 1 << 20
	var sink [n][]byte
	s := measureKept(n, func() {
		for i := range sink {
			_ = make([]byte, size) // and this does not
			sink[i] = make([]byte, size)
		}
	})
	if kept := s.figures().Kept; kept < 0.8*size || kept > 1.2*size {
		t.Errorf("each operation kept %.0f bytes; want about %d", kept, size)
	}
	runtime.KeepAlive(&sink)
}
