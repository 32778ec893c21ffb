package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []float64
		want float64
	}{
		{"none", nil, math.NaN()},
		{"one", []float64{7}, 7},
		{"odd, unsorted", []float64{9, 1, 5}, 5},
		{"even takes the mean", []float64{4, 1, 3, 2}, 2.5},
		{"an outlier does not matter", []float64{10, 11, 12, 13, 1e9}, 12},
	} {
		in := slices.Clone(c.in)
		if got := median(in); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: median(%v) = %v, want %v", c.name, c.in, got, c.want)
		}
		if !slices.Equal(in, c.in) {
			t.Errorf("%s: the input was reordered to %v", c.name, in)
		}
	}
}

func TestPairedRatios(t *testing.T) {
	for _, c := range []struct {
		name               string
		ours, theirs, want []float64
	}{
		{"by round", []float64{10, 30}, []float64{20, 20}, []float64{0.5, 1.5}},
		{"a missing round", []float64{10}, []float64{20, 40}, []float64{0.5}},
		{"a zero divisor", []float64{1, 2}, []float64{0, 4}, []float64{0.5}},
		{"nothing measured", nil, []float64{1}, nil},
	} {
		if got := pairedRatios(c.ours, c.theirs); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A disturbance that slows both peers of a round is in the medians and not in
// the paired ratios.
func TestPairedRatiosSurviveDisturbance(t *testing.T) {
	ours := []float64{10, 100, 10, 100, 100}
	theirs := []float64{20, 200, 20, 200, 20}
	if got := median(pairedRatios(ours, theirs)); got != 0.5 {
		t.Errorf("median of paired ratios = %v, want 0.5", got)
	}
	if got := median(ours) / median(theirs); got == 0.5 {
		t.Error("the ratio of medians is 0.5 as well; the example shows nothing")
	}
}
