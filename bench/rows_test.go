package main

import "testing"

// 1 is the least; 2500 passes the window twice and the ring twice, and divides
// by neither.
func TestEveryRowOnce(t *testing.T) {
	for _, g := range groups {
		for _, r := range g.Rows {
			for peer, run := range r.Run {
				t.Run(peer+"/"+r.Name, func(t *testing.T) {
					for _, ops := range []int{1, 2500} {
						s, err := run(ops)
						if err != nil {
							t.Fatalf("%d operations: %v", ops, err)
						}
						if s.Ops != ops || s.Elapsed <= 0 {
							t.Errorf("%d operations were counted as %d and took %v", ops, s.Ops, s.Elapsed)
						}
					}
				})
			}
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
