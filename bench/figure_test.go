package main

import (
	"testing"
	"time"
)

func TestPercentilesOfWaits(t *testing.T) {
	var thousand []time.Duration
	for i := 1000; i > 0; i-- {
		thousand = append(thousand, time.Duration(i)*time.Microsecond)
	}
	for _, c := range []struct {
		name                  string
		waits                 []time.Duration
		p50, p99, p999, worst float64
	}{
		{"none", nil, 0, 0, 0, 0},
		{"one", []time.Duration{1500}, 1.5, 1.5, 1.5, 1.5},
		{"two", []time.Duration{4000, 2000}, 2, 4, 4, 4},
		{"a thousand, unsorted", thousand, 500, 990, 999, 1000},
	} {
		f := Sample{Ops: 1, Waits: c.waits}.figures()
		if f.P50 != c.p50 || f.P99 != c.p99 || f.P999 != c.p999 || f.Worst != c.worst {
			t.Errorf("%s: %+v; want %v, %v, %v and %v", c.name, f, c.p50, c.p99, c.p999, c.worst)
		}
	}
}

func TestSamplesAddUp(t *testing.T) {
	var total Sample
	total.add(Sample{Ops: 1, Elapsed: 10, Kept: 100, Waits: []time.Duration{3000}})
	total.add(Sample{Ops: 3, Elapsed: 30, Kept: 700, Waits: []time.Duration{1000}, TimeOnly: true})
	f := total.figures()
	if f.Ops != 4 || f.Nanos != 10 || f.Kept != 200 || f.P50 != 1 || f.Worst != 3 || !f.TimeOnly {
		t.Errorf("together %+v; want 4 operations of 10 ns and 200 bytes, waits from 1 to 3 µs, time only", f)
	}
}
