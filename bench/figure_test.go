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

func TestFiguresOfServersAndStreams(t *testing.T) {
	f := Sample{Ops: 1000, Elapsed: time.Second / 2, CPU: 3 * time.Millisecond, Moved: 65_000_000, TimeOnly: true}.figures()
	for _, c := range []struct {
		figure Figure
		name   string
		want   float64
	}{
		{Rate, "requests/s", 2000},
		{CPU, "CPU µs/request", 3},
		{MBps, "MB/s", 130},
		{Time, "ns/request", 500_000},
	} {
		if got, ok := c.figure.in(f); got != c.want || !ok || c.figure.of("request") != c.name {
			t.Errorf("%s is %v, %v; want %s to be %v", c.figure.of("request"), got, ok, c.name, c.want)
		}
	}
}

func TestWhatNobodyTookIsNoFigure(t *testing.T) {
	for _, c := range []struct {
		sample  Sample
		missing []Figure
	}{
		{Sample{Ops: 1, Elapsed: 1, TimeOnly: true}, []Figure{Allocs, Bytes, Kept, P50, P99, P999, Worst, CPU, MBps}},
		{Sample{Ops: 1, Elapsed: 1}, []Figure{Kept, P50, P99, P999, Worst, CPU, MBps}},
		{Sample{Ops: 1}, []Figure{Rate}},
	} {
		for _, f := range c.missing {
			if vs := f.each([]Figures{c.sample.figures()}); len(vs) != 0 {
				t.Errorf("%v of %+v is %v; want none", f, c.sample, vs)
			}
		}
	}
	if vs := Allocs.each([]Figures{{Ops: 1}}); len(vs) != 1 {
		t.Errorf("no allocations are %v; want a figure, 0", vs)
	}
}

func TestSamplesAddUp(t *testing.T) {
	var total Sample
	total.add(Sample{Ops: 1, Elapsed: 10, Kept: 100, Waits: []time.Duration{3000}, CPU: 4000})
	total.add(Sample{Ops: 3, Elapsed: 30, Kept: 700, Waits: []time.Duration{1000}, TimeOnly: true, CPU: 4000, Moved: 400})
	f := total.figures()
	if f.Ops != 4 || f.Nanos != 10 || f.Kept != 200 || f.P50 != 1 || f.Worst != 3 || !f.TimeOnly || f.CPU != 2 || total.Moved != 400 {
		t.Errorf("together %+v; want 4 operations of 10 ns and 200 bytes, waits from 1 to 3 µs, 2 µs of a server, time only", f)
	}
}
