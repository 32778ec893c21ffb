package main

import (
	"encoding/json"
	"io"
	"runtime"
	"time"
)

// report is everything one run found out.
type report struct {
	Go       string
	System   string
	CPUs     int // GOMAXPROCS
	Rounds   int
	Time     time.Duration
	Many     int
	Conns    int
	Results  []Result
	Verdicts []Verdict
}

func newReport(o options, results []Result) report {
	rep := report{
		Go:      runtime.Version(),
		System:  runtime.GOOS + "/" + runtime.GOARCH,
		CPUs:    runtime.GOMAXPROCS(0),
		Rounds:  o.Rounds,
		Time:    o.Time,
		Many:    o.Many,
		Conns:   o.Conns,
		Results: results,
	}
	for _, res := range results {
		rep.Verdicts = append(rep.Verdicts, judge(res)...)
	}
	return rep
}

// missed reports whether a budget that is not a stretch was missed.
func (rep report) missed() bool {
	for _, v := range rep.Verdicts {
		if v.State == Missed && !v.Budget.Stretch {
			return true
		}
	}
	return false
}

// The JSON's shape is apart from the program's types, so that a renamed field
// does not break who reads it.
type (
	jsonReport struct {
		Go      string       `json:"go"`
		System  string       `json:"system"`
		CPUs    int          `json:"cpus"`
		Rounds  int          `json:"rounds"`
		TimeNS  int64        `json:"time_ns"`
		Many    int          `json:"many"`
		Conns   int          `json:"conns"`
		Rows    []jsonRow    `json:"rows"`
		Budgets []jsonBudget `json:"budgets"`
	}
	jsonRow struct {
		Group string               `json:"group"`
		Row   string               `json:"row"`
		Unit  string               `json:"unit"`
		Peers map[string][]Figures `json:"peers"` // one entry per round
	}
	jsonBudget struct {
		Row     string  `json:"row"`
		Peer    string  `json:"peer"`
		Figure  string  `json:"figure"`
		Limit   float64 `json:"limit"`
		Against string  `json:"against,omitempty"`
		Over    string  `json:"over,omitempty"`
		Quoted  float64 `json:"quoted,omitempty"` // taken instead of Against's own
		Stretch bool    `json:"stretch,omitempty"`
		Value   float64 `json:"value"` // means nothing when state is "unmeasured"
		State   State   `json:"state"`
	}
)

func (rep report) writeJSON(w io.Writer) error {
	j := jsonReport{Go: rep.Go, System: rep.System, CPUs: rep.CPUs, Rounds: rep.Rounds, TimeNS: rep.Time.Nanoseconds(), Many: rep.Many, Conns: rep.Conns}
	for _, r := range rep.Results {
		j.Rows = append(j.Rows, jsonRow{Group: r.Group.Name, Row: r.Row.Name, Unit: r.Row.Unit, Peers: r.Rounds})
	}
	for _, v := range rep.Verdicts {
		b := v.Budget
		jb := jsonBudget{
			Row: v.Row, Peer: b.Peer, Figure: b.Figure.String(), Limit: b.Limit,
			Against: b.Against, Over: b.Over, Stretch: b.Stretch, Value: v.Value, State: v.State,
		}
		if v.Quoted {
			jb.Quoted = b.Quoted
		}
		j.Budgets = append(j.Budgets, jb)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "\t")
	return enc.Encode(j)
}
