package main

import (
	"fmt"
	"math"
)

// Figure says which of a sample's figures is meant.
type Figure int

const (
	Time   Figure = iota // nanoseconds per operation
	Allocs               // allocations per operation
	Bytes                // bytes allocated per operation
)

func (f Figure) String() string {
	return [...]string{"ns", "allocs", "bytes"}[f]
}

// Budget is what one peer may cost in a row.
type Budget struct {
	Peer    string  // whose cost is judged
	Figure  Figure  // which figure, Time by default
	Limit   float64 // the most it may be: a multiple of Against, or the figure itself when Against is ""
	Against string  // the peer it is compared with, in the same round
	Quoted  float64 // Against's figure from elsewhere, when it cannot run here
	Stretch bool    // a wish: a miss is shown and does not count
}

// String is the limit as the table shows it.
func (b Budget) String() string {
	s := fmt.Sprintf("≤ %g %s", b.Limit, b.Figure)
	if b.Against != "" {
		s = fmt.Sprintf("≤ %g × %s", b.Limit, b.Against)
		if b.Figure != Time {
			s += " " + b.Figure.String()
		}
	}
	if b.Quoted != 0 {
		s += fmt.Sprintf(" (%g, quoted)", b.Quoted)
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
	Value  float64 // median paired ratio, or median figure; 0 when unmeasured
	State  State
}

// judge compares every budget of a row with what was measured.
func judge(res Result) []Verdict {
	var vs []Verdict
	for _, b := range res.Row.Budgets {
		v := Verdict{Row: res.Row.Name, Budget: b, State: Unmeasured}
		if m := b.value(res.Rounds); !math.IsNaN(m) {
			v.Value, v.State = m, Missed
			if m <= b.Limit*tolerance {
				v.State = Met
			}
		}
		vs = append(vs, v)
	}
	return vs
}

// value is what is compared with the limit, NaN when it was not measured.
func (b Budget) value(rounds map[string][]Figures) float64 {
	ours := b.Figure.each(rounds[b.Peer])
	switch {
	case b.Quoted != 0:
		return median(ours) / b.Quoted
	case b.Against != "":
		return median(pairedRatios(ours, b.Figure.each(rounds[b.Against])))
	}
	return b.Figure.round(median(ours))
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
