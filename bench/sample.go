package main

import (
	"runtime"
	"time"
)

// Sample is the cost of one run.
type Sample struct {
	Ops     int
	Elapsed time.Duration
	Allocs  uint64 // of the whole process
	Bytes   uint64 // allocated, not kept
}

// measure runs f, which does ops operations, and returns what it cost.
//
// There is no runtime.GC() before, unlike in package testing: a collection
// recomputes the start size of goroutine stacks, and the figure would be that
// of a luckier program.
func measure(ops int, f func()) Sample {
	allocs, bytes := allocated()
	start := time.Now()
	f()
	elapsed := time.Since(start)
	allocsAfter, bytesAfter := allocated()
	return Sample{Ops: ops, Elapsed: elapsed, Allocs: allocsAfter - allocs, Bytes: bytesAfter - bytes}
}

// allocated is what the process allocated since it began. Its frame of 2 kB
// stays out of measure's for the same reason as above: collections during f
// would find a deep stack.
//
//go:noinline
func allocated() (allocs, bytes uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs, m.TotalAlloc
}

func (s *Sample) add(t Sample) {
	s.Ops += t.Ops
	s.Elapsed += t.Elapsed
	s.Allocs += t.Allocs
	s.Bytes += t.Bytes
}

// Figures are a sample's costs per operation.
type Figures struct {
	Ops    int     `json:"ops"`
	Nanos  float64 `json:"ns_per_op"`
	Allocs float64 `json:"allocs_per_op"`
	Bytes  float64 `json:"bytes_per_op"`
}

func (s Sample) figures() Figures {
	n := float64(s.Ops)
	return Figures{
		Ops:    s.Ops,
		Nanos:  float64(s.Elapsed.Nanoseconds()) / n,
		Allocs: float64(s.Allocs) / n,
		Bytes:  float64(s.Bytes) / n,
	}
}

// each picks one figure out of every round.
func (f Figure) each(rounds []Figures) []float64 {
	vs := make([]float64, len(rounds))
	for i, r := range rounds {
		vs[i] = [...]float64{Time: r.Nanos, Allocs: r.Allocs, Bytes: r.Bytes}[f]
	}
	return vs
}
