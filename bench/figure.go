package main

import (
	"slices"
	"time"
)

// Figure says which of a sample's figures is meant.
type Figure int

const (
	Time   Figure = iota // nanoseconds per operation
	Allocs               // allocations per operation
	Bytes                // bytes allocated per operation
	Kept                 // bytes of memory that the result of an operation keeps
	P50                  // microseconds that half of the waits do not exceed …
	P99                  // … 99 in 100 …
	P999                 // … 999 in 1000 …
	Worst                // … and none
	CPU                  // microseconds of processors per operation: the server's, or that of clients that are measured
	Rate                 // operations per second: Time, turned over, for people
	MBps                 // 10⁶ bytes per second that went through
)

func (f Figure) String() string {
	return [...]string{"ns", "allocs", "bytes", "bytes kept", "µs p50", "µs p99", "µs p99.9", "µs worst", "CPU µs", "ops/s", "MB/s"}[f]
}

// of names the figure of an operation, as the table's second column does.
func (f Figure) of(unit string) string {
	switch f {
	case P50, P99, P999, Worst, MBps:
		return f.String()
	case Rate:
		return unit + "s/s"
	}
	return f.String() + "/" + unit
}

// speed reports whether it says how fast something went, so that allocations stand
// beside it.
func (f Figure) speed() bool { return f == Time || f == Rate || f == MBps }

// Figures are a sample's costs per operation.
type Figures struct {
	Ops      int     `json:"ops"`
	Nanos    float64 `json:"ns_per_op"`
	Allocs   float64 `json:"allocs_per_op"`
	Bytes    float64 `json:"bytes_per_op"`
	TimeOnly bool    `json:"time_only,omitempty"` // nobody counted allocations
	Kept     float64 `json:"kept_bytes_per_op,omitempty"`
	P50      float64 `json:"p50_us,omitempty"`
	P99      float64 `json:"p99_us,omitempty"`
	P999     float64 `json:"p999_us,omitempty"`
	Worst    float64 `json:"worst_us,omitempty"`
	CPU      float64 `json:"cpu_us_per_op,omitempty"`
	MBps     float64 `json:"mb_per_s,omitempty"`
}

func (s Sample) figures() Figures {
	n := float64(s.Ops)
	waits := slices.Sorted(slices.Values(s.Waits))
	return Figures{
		Ops:      s.Ops,
		Nanos:    float64(s.Elapsed.Nanoseconds()) / n,
		Allocs:   float64(s.Allocs) / n,
		Bytes:    float64(s.Bytes) / n,
		TimeOnly: s.TimeOnly,
		Kept:     float64(s.Kept) / n,
		P50:      percentile(waits, 500),
		P99:      percentile(waits, 990),
		P999:     percentile(waits, 999),
		Worst:    percentile(waits, 1000),
		CPU:      float64(s.CPU.Nanoseconds()) / 1000 / n,
		MBps:     float64(s.Moved) / 1e6 / max(s.Elapsed.Seconds(), 1e-9),
	}
}

// percentile is the least of the sorted waits that perMille of a thousand do not
// exceed, in microseconds; 0 when there are none.
func percentile(sorted []time.Duration, perMille int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*perMille + 999) / 1000 // rounded up, from 1
	return float64(sorted[rank-1].Nanoseconds()) / 1000
}

// each picks one figure out of every round that has it.
func (f Figure) each(rounds []Figures) []float64 {
	vs := make([]float64, 0, len(rounds))
	for _, r := range rounds {
		if v, ok := f.in(r); ok {
			vs = append(vs, v)
		}
	}
	return vs
}

// in is the figure among others, and whether it was taken: nothing but allocations
// can be 0.
func (f Figure) in(r Figures) (v float64, ok bool) {
	switch f {
	case Time:
		return r.Nanos, true
	case Rate:
		return 1e9 / r.Nanos, r.Nanos > 0
	case Allocs:
		return r.Allocs, !r.TimeOnly
	case Bytes:
		return r.Bytes, !r.TimeOnly
	}
	v = [...]float64{Kept: r.Kept, P50: r.P50, P99: r.P99, P999: r.P999, Worst: r.Worst, CPU: r.CPU, MBps: r.MBps}[f]
	return v, v != 0
}
