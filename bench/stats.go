package main

import (
	"math"
	"slices"
)

// median is the middle value, the mean of both middle values when their number
// is even, and NaN when there are none.
func median(vs []float64) float64 {
	n := len(vs)
	if n == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(vs))
	return (s[(n-1)/2] + s[n/2]) / 2
}

// pairedRatios divides each round's figure of one peer by the other's of the
// same round. Rounds that only one of them has, or where theirs is 0, do not
// count.
func pairedRatios(ours, theirs []float64) []float64 {
	var rs []float64
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] != 0 {
			rs = append(rs, ours[i]/theirs[i])
		}
	}
	return rs
}

// pairedDifferences subtracts from each round's figure of one peer the other's
// of the same round.
func pairedDifferences(ours, theirs []float64) []float64 {
	var ds []float64
	for i := range min(len(ours), len(theirs)) {
		ds = append(ds, ours[i]-theirs[i])
	}
	return ds
}
