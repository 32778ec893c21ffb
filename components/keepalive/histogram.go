package keepalive

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Histogram counts values in buckets, each twice as wide as the one before it,
// so that it takes every value and never grows. The zero value is empty.
type Histogram[T time.Duration | int64] struct {
	Count   uint64     // how many values
	Sum     T          // of all; no more than the largest T, 292 years
	Max     T          // the largest
	Buckets [64]uint64 // Buckets[i] counts values below 1<<i (ns) and not below half of that
}

// observe takes a value below zero for zero.
func (h *Histogram[T]) observe(v T) {
	v = max(v, 0)
	h.Count++
	if h.Sum += v; h.Sum < 0 { // 10,000 who wait bring it there in 11 days
		h.Sum = math.MaxInt64
	}
	h.Max = max(h.Max, v)
	h.Buckets[bits.Len64(uint64(v))]++
}

// Mean is the sum over the count; 0 without values.
func (h *Histogram[T]) Mean() T {
	if h.Count == 0 {
		return 0
	}
	return h.Sum / T(h.Count)
}

// Quantile estimates the value that a part q of all, from 0 to 1, do not exceed:
// Quantile(0.5) is the median. It is of the right bucket, and so wrong by a factor
// of two at most; of 1 it is Max. 0 without values.
func (h *Histogram[T]) Quantile(q float64) T {
	rank := uint64(math.Ceil(min(max(q, 0), 1) * float64(h.Count)))
	rank = max(rank, 1)
	if rank >= h.Count {
		return h.Max
	}
	for i, n := range h.Buckets {
		if rank > n {
			rank -= n
			continue
		}
		if i == 0 {
			return 0
		}
		low := T(1) << (i - 1)
		part := T(float64(low-1) * float64(rank) / float64(n)) // as if they lay evenly
		return min(low+part, h.Max)
	}
	return h.Max
}

// String is for logs: "12 values, mean 1.2ms, p50 1ms, p90 3ms, p99 4ms, max 4ms".
func (h Histogram[T]) String() string {
	return fmt.Sprintf("%d values, mean %v, p50 %v, p90 %v, p99 %v, max %v",
		h.Count, h.Mean(), h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.99), h.Max)
}

// MarshalJSON gives count, mean, p50, p90, p99 and max, times as "1.5ms".
func (h Histogram[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Count uint64 `json:"count"`
		Mean  any    `json:"mean"`
		P50   any    `json:"p50"`
		P90   any    `json:"p90"`
		P99   any    `json:"p99"`
		Max   any    `json:"max"`
	}{h.Count, legible(h.Mean()), legible(h.Quantile(0.5)), legible(h.Quantile(0.9)), legible(h.Quantile(0.99)), legible(h.Max)})
}

func legible(v any) any {
	if d, ok := v.(time.Duration); ok {
		return d.String()
	}
	return v
}
