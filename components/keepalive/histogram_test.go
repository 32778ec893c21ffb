package keepalive

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestHistogram_Quantiles are within a factor of two of the true ones, over many
// orders of magnitude, and never above the largest value.
func TestHistogram_Quantiles(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		var h Histogram[time.Duration]
		var all []time.Duration
		var sum time.Duration
		for range 1 + random.IntN(500) {
			v := time.Duration(math.Exp(random.Float64() * 25))
			h.observe(v)
			all = append(all, v)
			sum += v
		}
		slices.Sort(all)
		if h.Count != uint64(len(all)) || h.Sum != sum || h.Max != all[len(all)-1] || h.Mean() != sum/time.Duration(len(all)) {
			t.Fatalf("seed %d: %v of %v", seed, h, all)
		}
		last := time.Duration(0)
		for _, q := range []float64{-1, 0, 0.01, 0.5, 0.9, 0.99, 1, 7} {
			rank := min(max(int(math.Ceil(q*float64(len(all)))), 1), len(all))
			want, got := all[rank-1], h.Quantile(q)
			if got < want/2 || got > 2*want || got > h.Max || got < last {
				t.Errorf("seed %d: Quantile(%v) is %v, want about %v, and at least %v", seed, q, got, want, last)
			}
			last = got
		}
		if h.Quantile(1) != h.Max {
			t.Errorf("seed %d: Quantile(1) is %v, Max %v", seed, h.Quantile(1), h.Max)
		}
	}
}

func TestHistogram_Extremes(t *testing.T) {
	var h Histogram[int64]
	if h.Quantile(0.5) != 0 || h.Mean() != 0 {
		t.Errorf("empty: %v", h)
	}
	for _, v := range []int64{-5, 0, 1, math.MaxInt64 - 1} {
		h.observe(v)
	}
	if h.Count != 4 || h.Max != math.MaxInt64-1 || h.Quantile(0.5) != 0 || h.Quantile(0.75) != 1 {
		t.Errorf("%v", h)
	}
	h.observe(math.MaxInt64)
	if h.Sum != math.MaxInt64 || h.Mean() != math.MaxInt64/5 {
		t.Errorf("the sum is %d, the mean %d", h.Sum, h.Mean())
	}
	if n := testing.AllocsPerRun(100, func() { h.observe(7) }); n != 0 {
		t.Errorf("an observation allocates %v times", n)
	}
}

func TestHistogram_JSON(t *testing.T) {
	var times Histogram[time.Duration]
	var counts Histogram[int64]
	times.observe(1500 * time.Microsecond)
	counts.observe(3)
	got, err := json.Marshal([]any{times, counts})
	want := `[{"count":1,"mean":"1.5ms","p50":"1.5ms","p90":"1.5ms","p99":"1.5ms","max":"1.5ms"},` +
		`{"count":1,"mean":3,"p50":3,"p90":3,"p99":3,"max":3}]`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	if got, want := times.String(), "1 values, mean 1.5ms, p50 1.5ms, p90 1.5ms, p99 1.5ms, max 1.5ms"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
