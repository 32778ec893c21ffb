package main

import (
	"runtime"
	"runtime/debug"
	"time"
)

// Sample is the cost of one run.
type Sample struct {
	Ops      int
	Elapsed  time.Duration
	Allocs   uint64          // of the whole process
	Bytes    uint64          // allocated, not kept
	TimeOnly bool            // allocations were not counted
	Kept     int64           // memory that the results take, in rows about memory
	Waits    []time.Duration // of each operation, in rows about waiting
	CPU      time.Duration   // of the server or the client, in rows that have one
	Moved    int64           // bytes that went through, in rows about that
}

// meter is measure or measureKept.
type meter func(ops int, f func()) Sample

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

// measureKept is measure of an f whose results stay, and weighs them, too. The
// caller keeps them alive until it has returned.
func measureKept(ops int, f func()) Sample {
	before := processMemory()
	s := measure(ops, f)
	s.Kept = processMemory() - before
	return s
}

// processMemory is what the process has from the system after a collection:
// heap, stacks and what the runtime needs to keep account of them.
//
//go:noinline
func processMemory() int64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

func (s *Sample) add(t Sample) {
	s.Ops += t.Ops
	s.Elapsed += t.Elapsed
	s.Allocs += t.Allocs
	s.Bytes += t.Bytes
	s.TimeOnly = s.TimeOnly || t.TimeOnly
	s.Kept += t.Kept
	s.Waits = append(s.Waits, t.Waits...)
	s.CPU += t.CPU
	s.Moved += t.Moved
}
