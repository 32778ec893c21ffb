package main

import (
	"fmt"
	"math"
)

// Budget is what one peer may cost in a row.
type Budget struct {
	Peer    string  // whose cost is judged
	Figure  Figure  // which figure, Time by default
	Limit   float64 // the most it may be: the figure itself, unless Against or Over is set
	Against string  // the peer of whose figure, in the same round, Limit is a multiple
	Over    string  // the peer whose figure, in the same round, it may exceed by Limit
	Quoted  float64 // Against's figure from elsewhere, for when it was not measured
	Stretch bool    // a wish: a miss is shown and does not count
}

// String is the limit as the table shows it.
func (b Budget) String() string {
	s := fmt.Sprintf("≤ %g %s", b.Limit, b.Figure)
	switch {
	case b.Against != "":
		s = fmt.Sprintf("≤ %g × %s", b.Limit, b.Against)
		if b.Figure != Time {
			s += " " + b.Figure.String()
		}
	case b.Over != "":
		s += " over " + b.Over
	}
	if b.Stretch {
		s += ", stretch"
	}
	return s
}

// tolerance is how far above its limit a figure still counts as met: 5 %,
// the noise of medians on a shared machine.
const tolerance = 1.05

// State is how a budget fared.
type State string

const (
	Met        State = "met"
	Missed     State = "missed"
	Unmeasured State = "unmeasured" // one of its peers was not run
)

// Verdict is a budget and how it fared.
type Verdict struct {
	Row    string
	Budget Budget
	Value  float64 // what was compared with the limit; 0 when unmeasured
	Quoted bool    // Against was not measured: its quoted figure was taken
	State  State
}

// judge compares every budget of a row with what was measured.
func judge(res Result) []Verdict {
	var vs []Verdict
	for _, b := range res.Row.Budgets {
		v := Verdict{Row: res.Row.Name, Budget: b, State: Unmeasured}
		if m, quoted := b.value(res.Rounds); !math.IsNaN(m) {
			v.Value, v.Quoted, v.State = m, quoted, Missed
			if m <= b.Limit*tolerance {
				v.State = Met
			}
		}
		vs = append(vs, v)
	}
	return vs
}

// value is what is compared with the limit, NaN when it was not measured, and
// whether that is against a quoted figure.
func (b Budget) value(rounds map[string][]Figures) (v float64, quoted bool) {
	ours := b.Figure.each(rounds[b.Peer])
	switch {
	case b.Quoted != 0 && len(rounds[b.Against]) == 0:
		return median(ours) / b.Quoted, true
	case b.Against != "":
		return median(pairedRatios(ours, b.Figure.each(rounds[b.Against]))), false
	case b.Over != "":
		return median(pairedDifferences(ours, b.Figure.each(rounds[b.Over]))), false
	}
	return b.Figure.round(median(ours)), false
}

// round drops what is not a property of the measured code. The runtime
// allocates a little now and then, so a count of allocations means something
// to one decimal.
func (f Figure) round(v float64) float64 {
	if f == Allocs {
		return math.Round(v*10) / 10
	}
	return v
}
